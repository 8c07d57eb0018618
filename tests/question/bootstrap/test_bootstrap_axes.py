"""Changes of a pipeline: what they are, and what they do by speed, time and gap."""

import numpy as np
import pytest
import torch

from pomona.fit.settings import FitSettings
from pomona.fit.subject import Subject
from pomona.foundation.errors import SettingError
from pomona.foundation.run import temporary_run
from pomona.networks.build import build
from pomona.networks.named import named_spec
from pomona.question.bootstrap.axes import RATES, variants
from pomona.question.bootstrap.comparison import PARTS, compare
from pomona.question.bootstrap.curves import Curves
from pomona.question.bootstrap.reading import comparison_sentence
from pomona.question.bootstrap.settings import BootstrapSettings
from pomona.question.bootstrap.starts import learned_start
from pomona.question.bootstrap.worlds import WORLDS

WORLD = WORLDS["mixture"].make(seed=0)
SPEC = named_spec("dense", WORLD)


def named(**axes):
    subject = Subject(WORLD, SPEC, FitSettings(steps=10), "mixture", None)
    return variants(subject, WORLD, "dense", BootstrapSettings(**axes))


def test_one_thing_changes_at_a_time():
    found = named(networks="dense,default", augments="none,light", optimizers="adamw,sgd", starts="iris")
    assert [one.name for one in found] == [
        "as asked for",
        "network default",
        "augment none",
        "augment light",
        "optimizer sgd",
        "start iris",
    ]
    base = found[0]
    for one in found[1:]:
        changed = [
            one.spec is not base.spec,
            one.settings.augment != base.settings.augment,
            one.settings.optimizer != base.settings.optimizer,
            one.start != base.start,
        ]
        assert sum(changed) == 1
    assert found[4].settings.learning_rate == RATES["sgd"]


@pytest.mark.parametrize(
    "wrong", [{"networks": "nets"}, {"augments": "much"}, {"optimizers": "sdg"}], ids=str
)
def test_wrong_names_are_refused(wrong):
    with pytest.raises(SettingError, match="no "):
        named(**wrong)


def planted(ideal, real, train, size=500):
    """Three seeds that are alike but for a little."""
    little = np.array([[-0.001], [0.0], [0.001]])
    ideal, real, train = (np.array([row] * 3) + little for row in (ideal, real, train))
    steps, reals, trains = np.arange(1, ideal.shape[1] + 1) * 10, {size: real}, {size: np.abs(train)}
    return Curves(steps, ideal, reals, trains, trains, ideal, reals, 1.0)


BASE = planted([0.9, 0.5, 0.4, 0.3], [0.9, 0.52, 0.5, 0.5], [0.9, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("ideal", "real", "train", "reason", "changes"),
    [
        ([0.9, 0.3, 0.2, 0.1], [0.9, 0.32, 0.3, 0.3], [0.9, 0.0, 0.0, 0.0], "speed", (-0.2, -0.2, 0, 0)),
        ([0.9, 0.5, 0.4, 0.3], [0.9, 0.52, 0.4, 0.32], [0.9, 0.5, 0.2, 0.0], "time", (-0.2, 0, -0.2, 0)),
        ([0.9, 0.5, 0.4, 0.3], [0.9, 0.72, 0.7, 0.7], [0.9, 0.0, 0.0, 0.0], "gap", (0.2, 0, 0, 0.2)),
    ],
)
def test_a_change_is_speed_and_time_and_gap(ideal, real, train, reason, changes):
    found = compare(BASE, planted(ideal, real, train), "other")[500]
    means = [getattr(found, part).mean for part in ("real", *PARTS)]
    assert means == pytest.approx(changes, abs=1e-9)
    assert found.real.mean == pytest.approx(sum(means[1:]))
    assert found.reason == reason
    word = "hurts" if found.real.mean > 0 else "helps"
    assert f"It {word} mainly because" in comparison_sentence("other", found)


def test_a_change_that_may_be_none_has_no_reason():
    found = compare(BASE, BASE, "same")[500]
    assert found.reason == ""
    assert "cannot tell" in comparison_sentence("same", found)


def test_a_change_that_came_to_nothing_is_named():
    broken = planted([0.9, np.nan], [0.9, 0.5], [0.9, 0.0])
    with pytest.raises(SettingError, match="other: 3 of 3 seeds came to nothing"):
        compare(BASE, broken, "other")


def test_a_start_hands_down_the_body_and_leaves_other_heads():
    spec, iris_network = SPEC, "dense"
    with temporary_run(seed=0, threads=1) as run:
        same = learned_start("mixture", iris_network, FitSettings(steps=5), spec, run=run)
        other = learned_start("drawn-digits", iris_network, FitSettings(steps=2), spec, run=run)
    fresh = build(spec, 5).state_dict()
    for extension, is_same in ((same, True), (other, False)):
        assert extension.transform is not None
        begun = extension.transform(build(spec, 5), 5).state_dict()
        body = "blocks.residual1.branch.1.weight"
        assert not torch.equal(begun[body], fresh[body])
        head = "blocks.head.linear.weight"
        assert torch.equal(begun[head], fresh[head]) != is_same


def test_a_start_of_which_nothing_fits_is_refused():
    with temporary_run(seed=0, threads=1) as run, pytest.raises(SettingError, match="nothing of iris fits"):
        learned_start(
            "iris", "dense", FitSettings(steps=2), named_spec("convolution", WORLDS["glyphs"].make()), run=run
        )
