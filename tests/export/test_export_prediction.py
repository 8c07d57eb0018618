"""Heads become predictions in the graph exactly as they do in arrays; ensembles are weighted means."""

import numpy as np
import pytest
import torch
from torch import nn

from pomona.export.prediction import Averaging, Predicting
from pomona.fit.temperature import temper
from pomona.foundation.errors import InputError
from pomona.tasks.feature import Feature
from pomona.tasks.outputs import prediction

CASES = {
    "classify": (Feature("y", "category", (), classes=("a", "b", "c")), (5, 3)),
    "multilabel": (Feature("y", "labels", (4,), classes=("a", "b", "c", "d")), (5, 4)),
    "regress": (Feature("y", "number", (2,), center=3.0, scale=0.25), (5, 2)),
    "segment": (Feature("y", "mask", (4, 6), classes=("a", "b")), (5, 2, 4, 6)),
    "sequence": (Feature("y", "category", (7,), classes=("a", "b", "c")), (5, 7, 3)),
    "language": (Feature("y", "tokens", (7,), num_tokens=11), (5, 7, 11)),
    "forecast": (Feature("y", "series", (3, 2), center=-1.0, scale=7.0), (5, 3, 2)),
}


class Fixed(nn.Module):
    """A network that says the same whatever it reads."""

    def __init__(self, head: np.ndarray):
        super().__init__()
        self.head = torch.as_tensor(head)

    def forward(self, inputs):
        return {"y": self.head}


def head(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * 3).astype(np.float32)


@pytest.mark.parametrize("kind", CASES)
@pytest.mark.parametrize("temperature", [1.0, 0.6, 4.0])
def test_predictions_are_those_of_arrays(kind, temperature):
    feature, shape = CASES[kind]
    got = Predicting(Fixed(head(shape)), kind, {"y": feature}, {"y": temperature})({})["y"].numpy()
    raw = prediction(kind, head(shape), feature)
    np.testing.assert_allclose(got, temper(kind, raw, temperature), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", CASES)
def test_an_ensemble_is_the_weighted_mean_of_its_members(kind):
    feature, shape = CASES[kind]
    heads = [head(shape, seed) for seed in range(3)]
    members = [Predicting(Fixed(one), kind, {"y": feature}) for one in heads]
    got = Averaging(members, [1, 0, 3], kind)({})["y"].numpy()
    each = [prediction(kind, one, feature) for one in heads]
    np.testing.assert_allclose(got, each[0] / 4 + each[2] * 3 / 4, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", CASES)
def test_an_ensembles_own_temperature_comes_after_the_mean(kind):
    feature, shape = CASES[kind]
    members = [Predicting(Fixed(head(shape, seed)), kind, {"y": feature}) for seed in range(2)]
    mean = Averaging(members, [1, 1], kind)({})["y"].numpy()
    got = Averaging(members, [1, 1], kind, {"y": 2.5})({})["y"].numpy()
    np.testing.assert_allclose(got, temper(kind, mean, 2.5), rtol=2e-5, atol=1e-6)


def test_certain_members_stay_finite_under_a_temperature():
    feature, _ = CASES["classify"]
    sure = np.float32([[300.0, -300.0, -300.0]])
    got = Averaging([Predicting(Fixed(sure), "classify", {"y": feature})], [1], "classify", {"y": 0.5})({})
    np.testing.assert_allclose(got["y"].numpy(), [[1, 0, 0]], atol=1e-6)


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="no kind of task 'clasify'; did you mean 'classify'"):
        Predicting(Fixed(head((2, 3))), "clasify", {"y": CASES["classify"][0]})({})
