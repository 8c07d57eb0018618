import numpy as np
import pytest

from pomona.foundation.errors import DataError
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.targets import (
    category_target,
    class_names,
    encode_target,
    encode_targets,
    is_known,
    number_target,
)


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def test_classes_are_sorted_as_numbers_where_all_are():
    assert class_names(["10", "9", "1.5", None, "9"]) == ("1.5", "9", "10")
    assert class_names(["b", "10", "9"]) == ("10", "9", "b")


def test_indices_and_names_are_inverse():
    values = objects("cat", "dog", "cat", "ant")
    feature = category_target("animal", values)
    indices = encode_target(feature, values)
    assert indices.dtype == np.int64
    assert [feature.classes[index] for index in indices] == values.tolist()


def test_numbers_that_are_class_names_are_classes():
    feature = Feature("digit", "category", (), classes=("0", "1", "2"))
    assert encode_target(feature, np.array([2, 0])).tolist() == [2, 0]
    assert encode_target(feature, np.array([2.0, 0.0])).tolist() == [2, 0]
    assert encode_target(feature, objects("2", "0")).tolist() == [2, 0]


@pytest.mark.parametrize("values", [objects("cat", "cow"), objects("cat", None)])
def test_unseen_and_missing_classes_are_refused(values):
    feature = Feature("animal", "category", (), classes=("cat", "dog"))
    assert is_known(feature, values).tolist() == [True, False]
    with pytest.raises(DataError, match="animal"):
        encode_target(feature, values)


def test_labels_may_be_text_or_rows():
    feature = Feature("tags", "labels", (3,), classes=("a", "b", "c"))
    rows = encode_target(feature, objects("a|c", "", None, " b "))
    assert rows.tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0], [0, 1, 0]]
    np.testing.assert_array_equal(encode_target(feature, rows.astype(bool)), rows)
    assert is_known(feature, objects("a|d", "a")).tolist() == [False, True]
    with pytest.raises(DataError, match="'d'"):
        encode_target(feature, objects("a|d"))


def test_a_class_for_every_word_is_padded_and_masked():
    feature = Feature("tags", "category", (4,), classes=("D", "N"), variable=True)
    batch = encode_targets({"tags": feature}, {"tags": objects("D N", "N N N N")})
    assert batch["tags"].tolist() == [[0, 1, 0, 0], [1, 1, 1, 1]]
    assert batch["tags.mask"].sum(1).tolist() == [2, 4]
    assert is_known(feature, objects("D X", "N")).tolist() == [False, True]


def test_numbers_keep_their_values_and_tell_their_scale():
    values = np.array([1.0, 3.0, 5.0])
    feature = number_target("price", values, unit="EUR")
    assert (feature.center, feature.scale) == (3.0, pytest.approx(np.std(values)))
    assert encode_target(feature, values).dtype == np.float32
    assert encode_target(feature, objects("1", 3, 5.0)).tolist() == [1, 3, 5]
    with pytest.raises(DataError, match="missing or infinite"):
        encode_target(feature, np.array([1.0, np.nan]))
    with pytest.raises(DataError, match="shape"):
        encode_target(feature, np.zeros((3, 2)))


def test_pixels_are_classes():
    feature = Feature("mask", "mask", (1, 2), classes=("sky", "tree"))
    assert encode_target(feature, np.array([[["tree", "sky"]]], object)).tolist() == [[[1, 0]]]
