"""Errors, the points where they are measured, and the gap that follows from them."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from pomona.foundation.errors import SettingError
from pomona.question.bootstrap.curves import Curves, sound_curves
from pomona.question.bootstrap.errors import errors
from pomona.question.bootstrap.gap import gaps
from pomona.question.bootstrap.moments import moments
from pomona.question.bootstrap.reading import gap_sentences, verdict
from pomona.question.bootstrap.settings import BootstrapSettings


class Said(nn.Module):
    """A network whose logits are its input."""

    def forward(self, inputs):
        return {"kind": inputs["x"]}


def test_the_soft_error_is_one_minus_the_probability_of_the_truth():
    probabilities = torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.5, 0.25, 0.25]])
    examples = {"x": probabilities.log(), "kind": torch.tensor([0, 1, 2])}
    soft, hard = errors(Said(), examples, "kind")
    assert soft == pytest.approx((0.3 + 0.7 + 0.75) / 3)
    assert hard == pytest.approx(2 / 3)


def test_errors_of_many_examples_are_those_of_all_parts():
    generator = torch.Generator().manual_seed(0)
    logits, truth = torch.randn(1000, 4, generator=generator), torch.arange(1000) % 4
    soft, hard = errors(Said(), {"x": logits, "kind": truth}, "kind")
    said = logits.softmax(1)[torch.arange(1000), truth]
    assert soft == pytest.approx(1 - float(said.mean()), abs=1e-6)
    assert hard == pytest.approx(float((logits.argmax(1) != truth).float().mean()))


def test_a_network_that_came_to_nothing_has_no_error():
    examples = {"x": torch.full((3, 2), torch.nan), "kind": torch.zeros(3, dtype=torch.long)}
    assert np.isnan(errors(Said(), examples, "kind")).all()


@pytest.mark.parametrize("num_steps", [1, 7, 100, 5000])
@pytest.mark.parametrize("num_points", [4, 30, 200])
def test_moments_are_dense_at_first_and_end_with_the_last_step(num_steps, num_points):
    found = moments(num_steps, num_points)
    assert found[0] == 1
    assert found[-1] == num_steps
    assert (np.diff(found) > 0).all()
    assert len(found) <= num_points
    if num_steps > 100 and num_points > 10:
        assert (found <= num_steps // 4).sum() > (found > num_steps * 3 // 4).sum()


def planted(real, ideal, train, size=500):
    """Curves of two points a row: error arrays (member, point)."""
    arrays = [np.asarray(values, float) for values in (real, ideal, train)]
    real, ideal, train = arrays
    steps, reals, trains = np.arange(1, real.shape[1] + 1) * 10, {size: real}, {size: train}
    return Curves(steps, ideal, reals, trains, trains, ideal, reals, 1.0)


def test_the_gap_is_paired_by_seed_and_read_where_the_train_error_is_one_percent():
    real = [[0.9, 0.5, 0.30, 0.28], [0.9, 0.6, 0.42, 0.40], [0.9, 0.7, 0.51, 0.5]]
    ideal = [[0.9, 0.5, 0.25, 0.10], [0.9, 0.6, 0.35, 0.15], [0.9, 0.7, 0.45, 0.2]]
    train = [[0.9, 0.2, 0.01, 0.0], [0.9, 0.3, 0.005, 0.0], [0.9, 0.1, 0.015, 0.0]]
    gap = gaps(planted(real, ideal, train))[500]
    assert (gap.end, gap.end_step, gap.has_converged) == (2, 30, True)
    differences = np.array([0.05, 0.07, 0.06])
    assert gap.gap.mean[2] == pytest.approx(0.06)
    low, high = stats.t.interval(0.95, 2, differences.mean(), stats.sem(differences))
    assert (gap.gap.low[2], gap.gap.high[2]) == pytest.approx((low, high))
    # the seeds differ much more from each other than their worlds do
    assert gap.real.high[2] - gap.real.low[2] > 5 * (gap.gap.high[2] - gap.gap.low[2])
    assert gap.largest == pytest.approx(0.06)


def test_without_convergence_the_gap_is_read_at_the_last_step():
    gap = gaps(planted([[0.9, 0.6]] * 2, [[0.9, 0.6]] * 2, [[0.9, 0.5]] * 2))[500]
    assert (gap.end, gap.has_converged) == (1, False)
    assert "still 50.0 % after all 20 steps" in gap_sentences(gap)[0]


@pytest.mark.parametrize(
    ("real", "ideal", "word"),
    [
        ([0.31, 0.32, 0.30], [0.30, 0.31, 0.31], "small"),
        ([0.51, 0.52, 0.50], [0.30, 0.31, 0.31], "large"),
        ([0.20, 0.45, 0.50], [0.30, 0.31, 0.31], "unsure"),
        ([0.85, 0.86, 0.85], [0.85, 0.85, 0.86], "early"),
    ],
)
def test_what_is_said_of_a_gap(real, ideal, word):
    def rows(ends):
        return [[0.9, end] for end in ends]

    gap = gaps(planted(rows(real), rows(ideal), rows([0.0, 0.0, 0.0])))[500]
    assert verdict(gap) == word


def test_seeds_that_came_to_nothing_are_left_out_of_both_worlds():
    nothing = float("nan")
    curves = planted(
        [[0.9, 0.5], [0.9, nothing], [0.9, 0.3]],
        [[0.9, 0.5], [0.9, 0.1], [0.9, 0.3]],
        [[0.9, 0.0], [0.9, 0.0], [0.9, 0.0]],
    )
    kept = sound_curves(curves)
    assert kept.ideal.shape == kept.real[500].shape == (2, 2)
    assert gaps(kept)[500].gap.mean[1] == pytest.approx(0)
    with pytest.raises(SettingError, match="came to nothing"):
        sound_curves(planted([[0.9, nothing]] * 2, [[0.9, 0.5]] * 2, [[0.9, 0.5]] * 2))


@pytest.mark.parametrize(
    "wrong",
    [{"seeds": 1}, {"sizes": "50"}, {"sizes": ""}, {"sizes": "many"}, {"test_examples": 10}, {"points": 1}],
    ids=str,
)
def test_settings_that_can_answer_nothing_are_refused(wrong):
    with pytest.raises(SettingError, match="must be"):
        BootstrapSettings(**wrong)


def test_sizes_are_sorted_and_unique():
    assert BootstrapSettings(sizes="2000, 500,500").all_sizes == (500, 2000)
