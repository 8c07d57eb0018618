"""`pomona bootstrap` from words to a result: what it holds, and what it refuses."""

import json

import numpy as np
import pytest

import pomona
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import DataError, InputError, SettingError
from pomona.foundation.report import write_report
from pomona.question.bootstrap.checks import same_course
from pomona.question.bootstrap.command import bootstrap
from pomona.question.bootstrap.worlds.opening import opening
from pomona.tasks.options import DataOptions

COURSE = same_course(FitSettings())
FIELDS = {"steps", "real", "ideal", "gap", "gap_interval", "train_error"}
SHORT = {"network": "dense", "seeds": 2, "steps": 25, "points": 6, "test_examples": 200, "quiet": True}
CHANGES = {"augments": "light", "optimizers": "sgd", "starts": "drawn-digits"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return bootstrap("mixture", sizes=(100, 200), out=folder, **SHORT, **CHANGES), folder


def test_the_result_holds_every_number_that_is_shown(asked):
    result, _ = asked
    assert {"task", "sizes", "report", "seeds", "world"} <= result.keys()
    assert list(result["sizes"]) == ["100", "200"]
    for one in result["sizes"].values():
        assert one.keys() >= FIELDS
        low, high = one["gap_interval"]
        assert low <= one["gap"] <= high
        assert one["gap"] == pytest.approx(one["real"] - one["ideal"])
        end = one["curves"]["steps"].index(one["steps"])
        assert one["curves"]["gap"][end] == pytest.approx(one["gap"])
        assert one["curves"]["gap_low"][end] == pytest.approx(low)
    json.dumps(result)


def test_every_axis_is_compared(asked):
    result, _ = asked
    assert {axis: list(values) for axis, values in result["compared"].items()} == {
        "augment": ["light"],
        "optimizer": ["sgd"],
        "start": ["drawn-digits"],
    }
    for values in result["compared"].values():
        for sizes in values.values():
            for one in sizes.values():
                parts = sum(one[part]["change"] for part in ("speed", "time", "gap"))
                assert one["real"]["change"] == pytest.approx(parts)


def test_the_report_has_both_sections(asked):
    result, folder = asked
    page = (folder / "report.html").read_text()
    assert result["report"] == str(folder / "report.html")
    for words in (
        "real and ideal world",
        "What changes do in both worlds",
        "bootstrap gap",
        result["sizes"]["100"]["sentences"][0],
    ):
        assert words in page


def test_the_same_question_again_is_answered_from_its_folder(asked):
    result, folder = asked
    assert bootstrap("mixture", sizes=(100, 200), out=folder, **SHORT, **CHANGES) == result
    with pytest.raises(InputError, match="another run"):
        bootstrap("mixture", sizes=(100, 300), out=folder, **SHORT, **CHANGES)


def test_it_is_a_verb_of_the_package():
    assert pomona.bootstrap is bootstrap


@pytest.fixture
def large(tmp_path):
    """A plain data set of 4000 examples."""
    generator = np.random.default_rng(0)
    kind = generator.integers(0, 2, 4000)
    x = generator.normal(size=(4000, 5)) + kind[:, None]
    np.savez(tmp_path / "large.npz", x=x, y=np.where(kind, "b", "a"))
    return tmp_path / "large.npz"


def test_a_large_data_set_is_a_world_while_nothing_is_used_twice(large, tmp_path):
    result = bootstrap(large, sizes=200, out=tmp_path / "run", **SHORT)
    assert result["world"] == "data"
    with pytest.raises(SettingError, match="needs 64000 examples that are never used twice, large has 2"):
        bootstrap(large, sizes=200, out=tmp_path / "other", **{**SHORT, "steps": 1000})
    with pytest.raises(SettingError, match="sizes must be at most"):
        bootstrap(large, sizes=3500, out=tmp_path / "more", **SHORT)
    with pytest.raises(SettingError, match="test_examples must be at most"):
        bootstrap(large, sizes=200, out=tmp_path / "test", **{**SHORT, "test_examples": 2000})


def test_of_an_artifact_its_pipeline_is_asked_and_its_report_gains_the_section(large, tmp_path):
    fitted = pomona.fit_network(
        large, network="dense", steps=5, learning_rate=0.001, quiet=True, out=tmp_path / "fit"
    )
    asked = {name: value for name, value in SHORT.items() if name != "network"}
    result = bootstrap(fitted["artifact"], sizes=200, out=tmp_path / "run", **asked)
    assert result["task"] == fitted["artifact"]
    again = bootstrap(large, sizes=200, out=tmp_path / "again", **SHORT)
    # its weights know the examples: both begin with fresh ones
    assert result["sizes"]["200"]["curves"] == again["sizes"]["200"]["curves"]
    usual = opening(fitted["artifact"], "auto", "default", data=DataOptions(), settings=COURSE, seed=0)
    assert usual.subject.settings.learning_rate == 0.001
    assert (usual.subject.settings.steps, usual.subject.settings.keep) == (5, "last")
    page = write_report(tmp_path / "fit" / "artifact").read_text()
    assert "real and ideal world" in page


@pytest.mark.parametrize(
    ("subject", "changes", "message"),
    [
        ("mixture", {"seeds": 1}, "seeds must be at least 2"),
        ("mixture", {"sizes": 50}, "sizes must be at least 100"),
        ("mixture", {"sizes": 100, "batch_size": 128}, "at least batch_size"),
        ("mixture", {"epochs": 3}, "epochs has no meaning here"),
        ("mixture", {"world": "glyphs"}, "a world of its own"),
        ("diabetes", {}, "needs one target that is a class"),
        ("digits", {}, "never used twice"),
        ("digits", {"world": "mixture"}, "made from a task"),
        ("mixture", {"colour": 3}, "no setting 'colour'"),
        ("two-digits", {"world": "diffusion"}, "one target"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_one_line(subject, changes, message, tmp_path):
    with pytest.raises((SettingError, DataError), match=message) as refusal:
        bootstrap(subject, **{**SHORT, "sizes": 200, "out": tmp_path / "run", "steps": 30, **changes})
    assert "\n" not in str(refusal.value)
