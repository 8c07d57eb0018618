"""What a method says of a batch."""

import numpy as np
import pytest
from scipy.stats import entropy

from pomona.foundation.errors import DataError
from pomona.question.uncertainty.said import (
    SaidValues,
    dempster_shafer,
    join_said,
    said_of,
    said_of_members,
    values_of_members,
)


def _draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.ones(shape[-1]), shape[:-1])


def test_the_entropy_is_that_of_scipy():
    probabilities = _draw(20, 5)
    assert said_of(probabilities).scores["entropy"] == pytest.approx(entropy(probabilities, axis=1))


def test_mutual_information_is_the_mean_divergence_of_members_from_their_mean():
    members = _draw(4, 20, 5)
    said = said_of_members(members)
    divergence = entropy(members, said.probabilities[None], axis=-1).mean(0)
    assert said.scores["mutual-information"] == pytest.approx(divergence)


def test_members_that_agree_share_everything():
    said = said_of_members(np.stack([_draw(6, 3)] * 4))
    assert (said.scores["mutual-information"] == 0).sum() >= 0
    assert said.scores["variance"].max() < 1e-30
    assert said.scores["mutual-information"].max() < 1e-15


def test_a_certain_example_has_no_entropy():
    assert said_of(np.eye(3)).scores["entropy"].tolist() == [0, 0, 0]


def test_the_deviation_of_an_ensemble_is_that_of_the_mixture():
    generator = np.random.default_rng(0)
    means, deviations = np.array([[0.0], [3.0]]), np.array([[1.0], [2.0]])
    drawn = np.concatenate(
        [generator.normal(m, d, 200_000) for (m,), (d,) in zip(means, deviations, strict=True)]
    )
    said = values_of_members(means, deviations)
    assert said.deviation is not None
    assert said.deviation[0] == pytest.approx(drawn.std(), rel=0.01)
    assert said.mean[0] == pytest.approx(drawn.mean(), abs=0.02)


def test_batches_joined_are_one_batch():
    members = _draw(3, 10, 4)
    whole = said_of_members(members, sets=members[0] > 0.1)
    parts = [said_of_members(members[:, cut], sets=members[0, cut] > 0.1) for cut in (slice(6), slice(6, 10))]
    joined = join_said(parts)
    assert joined.members is not None
    assert joined.sets is not None
    assert (joined.members == whole.members).all()
    assert (joined.sets == whole.sets).all()
    assert all((joined.scores[name] == whole.scores[name]).all() for name in whole.scores)
    values = [
        SaidValues(part, quantiles={0.1: part - 1}, interval=(part - 2, part))
        for part in (np.ones(2), np.zeros(1))
    ]
    together = join_said(values)
    assert together.deviation is None
    assert together.interval is not None
    assert together.quantiles is not None
    assert together.interval[0].tolist() == [-1, -1, -2]
    assert together.quantiles[0.1].tolist() == [0, 0, -1]


def test_dempster_shafer_is_near_one_without_evidence_and_never_overflows():
    scores = dempster_shafer(np.array([[-50.0, -50.0], [0.0, 0.0], [1e4, 0.0]]))
    assert scores == pytest.approx([1.0, 0.5, 0.0])


def test_probabilities_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match="not finite"):
        said_of(np.array([[np.nan, 1.0]]))
