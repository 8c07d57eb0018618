"""Raw heads become predictions, predictions become answers."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.special import softmax as softmax_of_scipy

from pomona.foundation.errors import DataError
from pomona.tasks.feature import Feature
from pomona.tasks.outputs import decide, prediction

CLASSES = ("cat", "dog", "owl")
PET = Feature("pet", "category", (), classes=CLASSES)
TAGS = Feature("tags", "category", (4,), classes=CLASSES, variable=True)
SCENE = Feature("scene", "mask", (2, 2), classes=CLASSES)
TOPICS = Feature("topics", "labels", (3,), classes=CLASSES)
PRICE = Feature("price", "number", (), unit="€", center=100.0, scale=20.0)
WORDS = Feature("words", "tokens", (4,), num_tokens=6)
POWER = Feature("power", "series", (2, 3), center=1.0, scale=2.0)


@pytest.mark.parametrize(
    ("kind", "feature", "shape", "axis"),
    [
        ("classify", PET, (5, 3), -1),
        ("segment", SCENE, (5, 3, 2, 2), 1),
        ("sequence", TAGS, (5, 4, 3), -1),
        ("language", WORDS, (5, 4, 6), -1),
    ],
)
def test_classes_become_probabilities_along_their_axis(kind, feature, shape, axis):
    head = np.random.default_rng(0).normal(size=shape) * 30
    found = prediction(kind, head, feature)
    np.testing.assert_allclose(found, softmax_of_scipy(head, axis=axis), rtol=1e-12)
    np.testing.assert_allclose(found.sum(axis=axis), 1)


def test_huge_outputs_neither_overflow_nor_warn():
    extreme = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], np.float32)
    np.testing.assert_allclose(prediction("classify", extreme, PET), [[1, 0, 0], [1 / 3] * 3], rtol=1e-6)
    np.testing.assert_allclose(prediction("multilabel", extreme, TOPICS), expit(extreme))


def test_values_are_in_the_unit_of_the_target_again():
    np.testing.assert_allclose(prediction("regress", np.array([-1.0, 2.0]), PRICE), [80, 140])
    assert prediction("forecast", np.ones((1, 2, 3)), POWER).tolist() == np.full((1, 2, 3), 3.0).tolist()


@pytest.mark.parametrize(
    ("given", "found"), [("float16", "float32"), ("float32", "float32"), ("float64",) * 2]
)
def test_single_and_double_precision_stay_and_half_is_raised(given, found):
    assert prediction("classify", np.zeros((1, 3), given), PET).dtype == found
    assert prediction("multilabel", np.zeros((1, 3), given), TOPICS).dtype == found
    assert prediction("regress", np.zeros(1, given), PRICE).dtype == found


@pytest.mark.parametrize(
    ("kind", "feature", "shape"),
    [
        ("classify", PET, (2, 4)),
        ("segment", SCENE, (2, 2, 2, 3)),
        ("sequence", TAGS, (2, 3)),
        ("regress", PRICE, (2, 1)),
        ("language", WORDS, (2, 4, 5)),
    ],
)
def test_a_head_of_the_wrong_shape_is_refused(kind, feature, shape):
    with pytest.raises(DataError, match=feature.name):
        prediction(kind, np.zeros(shape), feature)


def test_a_person_reads_names_numbers_and_masks():
    scores = np.array([[0.1, 0.9, 0.0], [0.6, 0.3, 0.1]])
    assert decide("classify", scores, PET) == ["dog", "cat"]
    assert decide("multilabel", np.array([[0.5, 0.9, 0.1], [0, 0, 0.2]]), TOPICS) == [["cat", "dog"], []]
    assert decide("regress", np.array([80.0, 140.0]), PRICE) == [80.0, 140.0]
    assert decide("classify", scores, Feature("n", "category", ())) == [1, 0]
    steps = np.eye(3)[[[0, 1, 2, 0]]]
    mask = np.array([[True, True, True, False]])
    assert decide("sequence", steps, TAGS) == [["cat", "dog", "owl", "cat"]]
    assert decide("sequence", steps, TAGS, mask) == [["cat", "dog", "owl"]]
    assert decide("language", np.eye(6)[[[5, 1, 2, 3]]], WORDS) == [[5, 1, 2, 3]]
    image = decide("segment", np.moveaxis(np.eye(3)[[[[0, 1], [2, 0]]]], -1, 1), SCENE)
    assert image[0].tolist() == [[0, 1], [2, 0]]
    assert decide("forecast", np.zeros((1, 2, 3)), POWER) == [[[0, 0, 0], [0, 0, 0]]]
