"""The matrix of all inputs holds what tells classes apart, for every kind of input and several at once."""

import numpy as np
import pytest
from scipy import sparse

from pomona.fit.baselines import BASELINES, baseline
from pomona.fit.baselines.matrix import MAX_COLUMNS, MAX_NUMBERS, fit_matrix
from pomona.foundation.randomness import stream
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.source import ArraySource
from pomona.tasks.task import Task

LABEL = Feature("y", "category", (), classes=("low", "high"))


def _tones(generator, label):
    time = np.arange(2000) / 8000
    pitch = np.where(label, 900, 400)[:, None] * generator.uniform(0.9, 1.1, (len(label), 1))
    return (0.3 * np.sin(2 * np.pi * pitch * time) + 0.1 * generator.normal(size=(len(label), 2000))), None


def _images(generator, label):
    values = generator.normal(size=(len(label), 3, 48, 40))
    values[label == 1, 1, 20:30, 10:30] += 1
    return values, None


def _series(generator, label):
    values = generator.normal(size=(len(label), 12, 2))
    mask = np.arange(12) < generator.integers(4, 13, len(label))[:, None]
    values[:, :, 1] += np.where(label, 1.5, -1.5)[:, None]
    return np.where(mask[..., None], values, 0), mask


def _texts(generator, label):
    ids = generator.integers(1, 40, (len(label), 10))
    ids[:, 3] = np.where(label, 41, 42)
    mask = np.arange(10) < generator.integers(5, 11, len(label))[:, None]
    return np.where(mask, ids, 0), mask


INPUTS = {
    "audio": (Feature("x", "audio", (2000,), rate=8000.0), _tones),
    "image": (Feature("x", "image", (3, 48, 40)), _images),
    "series": (Feature("x", "series", (12, 2), variable=True), _series),
    "tokens": (Feature("x", "tokens", (10,), num_tokens=43, variable=True), _texts),
    "vector": (
        Feature("x", "vector", (4,)),
        lambda g, y: (g.normal(size=(len(y), 4)) + 1.5 * y[:, None], None),
    ),
    "category": (
        Feature("x", "category", (), classes=("a", "b", "c")),
        lambda g, y: (np.where(g.uniform(size=len(y)) < 0.9, 2 * y, 1), None),
    ),
}


def _task(*kinds):
    """A task with an input of each of the kinds, any of which tells the label."""
    splits = {}
    for split in ("train", "valid", "test"):
        generator = stream(0, "inputs", split)
        batch = {"y": generator.integers(0, 2, 120)}
        for kind in kinds:
            feature, make = INPUTS[kind]
            values, mask = make(generator, batch["y"])
            batch[kind] = values.astype(feature.dtype)
            if mask is not None:
                batch[f"{kind}.mask"] = mask
        splits[split] = ArraySource(batch)
    inputs = {kind: _named(INPUTS[kind][0], kind) for kind in kinds}
    return Task("made", "classify", inputs, {"y": LABEL}, splits, ("accuracy",), Preprocessing(()), "")


def _named(feature, name):
    return Feature.from_json({**feature.to_json(), "name": name})


@pytest.mark.parametrize("kinds", [*((kind,) for kind in INPUTS), ("image", "vector"), ("tokens", "vector")])
def test_labels_are_learned_from_any_inputs(kinds):
    found = baseline(_task(*kinds))
    assert found.name != "constant"
    assert found.test["accuracy"] > 0.85


def test_support_vectors_and_trees_leave_text_to_the_linear_models():
    task = _task("tokens", "vector")
    assert [
        name for name, method in BASELINES.items() if "classify" in method.kinds and method.takes(task)
    ] == [
        "constant",
        "logistic regression",
    ]


def test_large_images_are_averaged_down_and_many_columns_become_components():
    task = _task("image")
    train = task.splits["train"].read(np.arange(120))
    wide = fit_matrix(task, train, 0)(train)
    assert MAX_COLUMNS < wide.shape[1] <= MAX_NUMBERS
    many = {name: np.concatenate([array] * 3) for name, array in train.items()}
    assert fit_matrix(task, many, 0)(train).shape == (120, MAX_COLUMNS)


def test_what_is_padding_is_not_in_the_matrix():
    for kind in ("series", "tokens"):
        task = _task(kind)
        train = task.splits["train"].read(np.arange(120))
        matrix = fit_matrix(task, train, 0)
        noisy = {**train, kind: np.where(_wide(train[f"{kind}.mask"], train[kind]), train[kind], 7)}
        plain, changed = matrix(train), matrix(noisy)
        difference = abs(plain - changed).max() if sparse.issparse(plain) else np.abs(plain - changed).max()
        assert difference < 1e-5


def _wide(mask, array):
    return mask.reshape(mask.shape + (1,) * (array.ndim - mask.ndim))
