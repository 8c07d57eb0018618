"""The whole question on small networks: result, resume, pick, requirements, subjects."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import pomona
from pomona.cli.main import exit_code
from pomona.fit.settings import FitSettings
from pomona.fit.subject import Subject, resolve
from pomona.foundation.errors import ArtifactError, DataError, SettingError
from pomona.foundation.run import temporary_run
from pomona.networks.build import build
from pomona.networks.default import default_spec
from pomona.question.stress.population import model_seeds
from pomona.question.stress.requirements import Requirement, judge, read_requirements
from pomona.question.stress.scores import scores
from pomona.question.stress.sections.axes import kind_of, shown_axes
from pomona.question.stress.sentence import sentence
from pomona.question.stress.statistics.finding import findings
from pomona.question.stress.statistics.resamples import resamples
from pomona.tasks.load import load_task

QUICK = {"models": 12, "steps": 150, "keep": "last", "learning_rate": 1e-2, "quiet": True}


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("stress") / "run"
    return out, pomona.stress("two-cues", out=out, families=("shifted", "stratified", "table"), **QUICK)


def test_a_planted_shortcut_is_found_and_its_absence_is_not_claimed(asked):
    _, result = asked
    assert "conflict" in result["underspecified"]
    assert not {"side=left", "side=right"} & set(result["underspecified"])
    conflict = result["stress"]["conflict"]
    assert conflict["sd"] > 10 * result["clean"]["sd"]
    assert conflict["ratio_interval"][0] > 2
    assert "conflict" in result["finding"]


def test_the_result_has_every_number_that_is_promised(asked):
    out, result = asked
    assert {
        "task",
        "models",
        "clean",
        "stress",
        "underspecified",
        "seconds_one_model",
        "seconds_all",
        "report",
    } <= set(result)
    assert {"mean", "sd", "ratio", "ratio_interval", "p"} <= set(result["stress"]["conflict"])
    assert json.loads((out / "result.json").read_text())["stress"].keys() == result["stress"].keys()
    assert (out / "report.html").exists()
    kept = np.load(out / "scores" / "conflict.npz")
    assert kept["values"].shape == (12, 2000)
    assert kept["values"].mean() == pytest.approx(result["stress"]["conflict"]["mean"])


def test_the_same_command_prints_the_same_and_scores_are_not_made_again(asked):
    out, result = asked
    again = pomona.stress("two-cues", out=out, families=("shifted", "stratified", "table"), **QUICK)
    assert again["stress"] == result["stress"]
    (out / "result.json").unlink()
    header = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**header, "status": "running"}))
    times = {path.name: path.stat().st_mtime_ns for path in (out / "scores").iterdir()}
    resumed = pomona.stress("two-cues", out=out, families=("shifted", "stratified", "table"), **QUICK)
    assert resumed["stress"] == result["stress"]
    assert {path.name: path.stat().st_mtime_ns for path in (out / "scores").iterdir()} == times


def test_pick_chooses_on_validation_and_leaves_its_stress_out(tmp_path):
    settings = {**QUICK, "models": 5, "steps": 40}
    result = pomona.stress(
        "two-cues", out=tmp_path / "run", families=("table",), pick="drifted-medium", **settings
    )
    assert not any(kind_of(name) == "drifted" for name in result["stress"])
    picked = result["picked"]
    assert picked["seed"] in model_seeds(0, 5)
    assert picked["scores"].keys() == result["stress"].keys()
    model = pomona.load(result["artifact"])
    task = load_task("two-cues")
    batch = task.splits["test"].read(np.arange(2000))
    said = model.predict_batch({"columns": batch["columns"]})["side"].argmax(1)
    assert (said == batch["side"]).mean() == pytest.approx(picked["clean"], abs=1e-3)


def test_unmet_requirements_are_exit_code_3_and_the_result_is_printed_all_the_same(tmp_path, capfd):
    file = tmp_path / "requirements.yaml"
    file.write_text(
        "- {split: conflict, metric: worst, bound: '>= 99 %'}\n"
        "- {split: test, metric: score, bound: '> 0.5'}\n"
    )
    given = ["--models", "5", "--steps", "40", "--families", "shifted", "--out", str(tmp_path / "run")]
    code = exit_code(["stress", "two-cues", *given, "--requirements", str(file), "--quiet", "--json"])
    said = capfd.readouterr()
    assert code == 3
    result = json.loads(said.out)
    assert result["unmet"] == ["worst on conflict >= 0.99"]
    assert [entry["met"] for entry in result["requirements"]] == [False, True]
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("split: a", "should list requirements"),
        ("- {split: a, metric: worst}", "needs split, metric and bound"),
        ("- {split: a, metric: worse, bound: '> 1'}", "did you mean 'worst'"),
        ("- {split: a, metric: worst, bound: about 1}", "a bound is such as"),
        ("- {split: a, metric: worst, bound: '> 1', grp: b}", "unknown key 'grp'"),
        ("- [", "is no YAML"),
    ],
)
def test_wrong_requirements_are_refused(tmp_path, text, message):
    file = tmp_path / "requirements.yaml"
    file.write_text(text)
    with pytest.raises(SettingError, match=message):
        read_requirements(file)


def test_requirements_are_judged_on_splits_and_groups():
    values = {"test": np.tile([[1.0, 0.0]], (4, 20)), "hard": np.repeat(np.eye(4), 10, axis=1)}
    groups = {"hard": {"first": np.arange(20), "few": np.arange(3)}}

    def verdict(split: str, metric: str, bound: float, group: str = ""):
        wanted = Requirement(split, metric, ">=", bound, group)
        return judge([wanted], values, groups, greater_is_better=True)[0]

    assert verdict("hard", "score", 0.25).is_met
    assert verdict("hard", "best", 0.25).value == 0.25
    assert verdict("hard", "worst", 0.0, "first").value == 0.0
    assert verdict("hard", "worst", 0.1, "first").is_met is False
    assert verdict("hard", "ratio", 0.1).value is None
    with pytest.raises(DataError, match="has 3 examples"):
        verdict("hard", "score", 0.1, "few")
    with pytest.raises(SettingError, match="did you mean 'hard'"):
        verdict("hrad", "score", 0.1)


def test_all_models_at_once_score_as_each_alone():
    task = load_task("two-cues")
    spec = default_spec(task)
    networks = [build(spec, seed) for seed in range(4)]
    state = {name: torch.stack([n.state_dict()[name] for n in networks]) for name in networks[0].state_dict()}
    subject = Subject(task, spec, FitSettings(), "two-cues", None)
    with temporary_run() as run:
        found = scores(subject, state, task.splits["conflict"], run=run)
    from pomona.fit.evaluate import evaluate

    for member, network in enumerate(networks):
        assert found.means[member] == pytest.approx(evaluate(network, task, "conflict")["accuracy"])


@pytest.mark.parametrize("name", ["diabetes", "seasonal-series", "tagged-words"])
def test_other_kinds_of_tasks_have_a_score_for_each_example(name):
    task = load_task(name)
    spec = default_spec(task)
    state = {key: tensor[None].repeat_interleave(2, 0) for key, tensor in build(spec, 0).state_dict().items()}
    with temporary_run() as run:
        found = scores(Subject(task, spec, FitSettings(), name, None), state, task.splits["test"], run=run)
    assert found.values.shape == (2, task.splits["test"].size)
    assert np.allclose(found.values[0], found.values[1])
    assert found.answers is None


def test_an_artifact_brings_its_task_network_and_settings(tmp_path):
    result = pomona.fit_network("wine", out=tmp_path / "run", epochs=3, learning_rate=0.01, quiet=True)
    found = resolve(result["artifact"])
    assert found.task.name == "wine"
    assert (found.settings.epochs, found.settings.learning_rate) == (3, 0.01)
    assert found.spec == default_spec(found.task)
    assert found.weights is not None
    assert set(found.weights) == set(build(found.spec, 0).state_dict())
    with pytest.raises(ArtifactError, match="leave out --network"):
        resolve(result["artifact"], network="dense")
    with pytest.raises(ArtifactError, match="iris has other inputs than the model"):
        resolve(result["artifact"], task="iris")
    assert resolve("wine").weights is None


def test_an_artifacts_own_report_tells_of_its_stress_test(tmp_path):
    made = pomona.fit_network("two-cues", out=tmp_path / "fit", steps=20, quiet=True)
    settings = {"models": 5, "families": ("shifted",), "quiet": True}
    result = pomona.stress(made["artifact"], out=tmp_path / "stress", **settings)
    assert result["task"] == "two-cues"
    assert exit_code(["report", made["artifact"], "--json"]) == 0
    assert "would another seed behave otherwise" in (Path(made["artifact"]) / "report.html").read_text()


def test_seeds_of_two_runs_have_nothing_in_common():
    assert not set(model_seeds(0, 50)) & set(model_seeds(1, 50))
    with pytest.raises(SettingError, match="at most 1000"):
        model_seeds(0, 1001)


def test_the_plot_shows_one_stress_of_a_kind_and_the_sentence_names_the_widest():
    generator = np.random.default_rng(0)
    clean = (generator.random((30, 1000)) < 0.95).astype(float)
    wide = (generator.random((30, 1000)) < generator.uniform(0.2, 0.9, (30, 1))).astype(float)
    stresses = {"fog-1": clean, "fog-5": wide, "digit=1": clean, "digit=2": clean}
    found = findings(
        clean, stresses, dict.fromkeys(stresses), resamples(30, 1000, seed=0, number=100), is_share=True
    )
    assert shown_axes(found)[0].name == "fog-5"
    assert len(shown_axes(found)) == 2
    assert "fog-5 (" in sentence(found, models=30)
    assert "not found" in sentence(found[:1], models=30)
