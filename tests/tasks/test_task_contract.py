import json
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.randomness import stream
from pomona.tasks import load_task
from pomona.tasks.batch import batch_size, check_batch, join_batches, take
from pomona.tasks.feature import Feature, FeatureKind, mask_key
from pomona.tasks.source import (
    ArraySource,
    DrawnSource,
    EndlessSource,
    FiniteSource,
    PreparedSource,
    SubsetSource,
    batches,
)

FEATURES = [
    Feature("a", "image", (3, 8, 8)),
    Feature("b", "audio", (800,), rate=8000),
    Feature("c", "tokens", (12,), num_tokens=30, variable=True),
    Feature("d", "category", (), classes=("x", "y")),
    Feature("e", "number", (2,), unit="m", center=1.5, scale=2.0),
    Feature("f", "mask", (4, 4), classes=("sky", "tree")),
]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.kind)
def test_a_feature_survives_json(feature):
    assert Feature.from_json(json.loads(json.dumps(feature.to_json()))) == feature


def test_whole_numbers_are_kept_for_indices_alone():
    whole = {
        kind for kind in get_args(FeatureKind) if Feature("a", kind, (1,), num_tokens=3).dtype == "int64"
    }
    assert whole == {"tokens", "category", "mask"}


def test_features_that_cannot_be_are_refused():
    with pytest.raises(SettingError, match="did you mean 'image'"):
        Feature("a", "images", (1,))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="every size of a shape is positive"):
        Feature("a", "vector", (0,))
    with pytest.raises(DataError, match="tokens need num_tokens"):
        Feature("a", "tokens", (4,))
    with pytest.raises(DataError, match="a feature has name, kind, shape"):
        Feature.from_json({"name": "a", "kind": "vector"})
    with pytest.raises(DataError, match="a feature has name, kind, shape"):
        Feature.from_json({"name": "a", "kind": "vector", "shape": [1], "colour": "red"})


def good_batch():
    return {
        "c": np.ones((2, 12), np.int64),
        mask_key("c"): np.ones((2, 12), bool),
        "d": np.array([0, 1]),
        "e": np.zeros((2, 2), np.float32),
    }


def test_a_good_batch_passes():
    check_batch(good_batch(), {feature.name: feature for feature in FEATURES if feature.name in "cde"})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"e": np.zeros((2, 3), np.float32)}, "'e' has shape"),
        ({"e": np.zeros((2, 2))}, "'e' has dtype float64"),
        ({"e": np.full((2, 2), np.nan, np.float32)}, "'e' holds NaN"),
        ({"d": np.array([0, 2])}, "'d' holds class indices outside 0..1"),
        ({"d": np.array([0])}, "one length"),
        ({mask_key("c"): None}, "'c' has variable length"),
        ({"e": None}, "the batch lacks 'e'"),
    ],
)
def test_a_bad_batch_is_refused(change, match):
    batch = {name: values for name, values in (good_batch() | change).items() if values is not None}
    with pytest.raises(DataError, match=match):
        check_batch(batch, {feature.name: feature for feature in FEATURES if feature.name in "cde"})


def test_batches_are_taken_and_joined():
    batch = good_batch()
    parts = [take(batch, np.array([index])) for index in range(2)]
    joined = join_batches(parts)
    for name, values in batch.items():
        np.testing.assert_array_equal(joined[name], values)
    assert batch_size(joined) == 2
    with pytest.raises(DataError, match="at least one array"):
        batch_size({})


def test_sources_read_what_is_asked_for():
    source = ArraySource({"x": np.arange(10) * 10})
    subset = SubsetSource(source, np.array([7, 3, 5]))
    doubled = PreparedSource(subset, lambda batch: {"x": batch["x"] * 2})
    assert isinstance(doubled, FiniteSource)
    assert subset.size == doubled.size == 3
    assert doubled.read(np.array([2, 0]))["x"].tolist() == [100, 140]
    sizes = [batch_size(batch) for batch in batches(source, 4)]
    assert sizes == [4, 4, 2]
    assert np.concatenate([batch["x"] for batch in batches(source, 4)]).tolist() == list(range(0, 100, 10))


def test_endless_sources_draw_the_same_for_the_same_generator():
    source = DrawnSource(lambda generator, size: {"x": generator.normal(size=size)})
    assert isinstance(source, EndlessSource)
    assert source.size is None
    first, again = (source.draw(stream(0, "draws"), 5)["x"] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (source.draw(stream(1, "draws"), 5)["x"] != first).all()


def test_tasks_that_cannot_be_are_refused():
    task = load_task("iris")
    with pytest.raises(SettingError, match="did you mean 'classify'"):
        replace(task, kind="clasify")
    with pytest.raises(DataError, match="lacks the split 'test'"):
        replace(task, splits={"train": task.splits["train"], "valid": task.splits["valid"]})
    with pytest.raises(DataError, match="target 'species' is of kind category; regress wants number"):
        replace(task, kind="regress")
    with pytest.raises(DataError, match="at least one input and one target"):
        replace(task, targets={})
