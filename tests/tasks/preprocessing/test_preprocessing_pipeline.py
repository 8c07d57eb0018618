import json

import numpy as np
import pytest

from pomona.foundation.errors import DataError, SettingError
from pomona.tasks.preprocessing import STEPS, Preprocessing, Step
from pomona.tasks.preprocessing.arrays import fit_series, fit_vector
from pomona.tasks.preprocessing.audio import fit_audio
from pomona.tasks.preprocessing.bag import fit_bag
from pomona.tasks.preprocessing.categories import fit_categories
from pomona.tasks.preprocessing.dates import fit_dates
from pomona.tasks.preprocessing.features import KINDS, input_features
from pomona.tasks.preprocessing.ids import fit_ids
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.numbers import fit_numbers
from pomona.tasks.preprocessing.tokens import fit_tokens

WORDS = np.array(["red red blue", "blue green", "green red", None], object)
SERIES = np.empty(4, object)
SERIES[:] = [np.arange(length, dtype=float) for length in (3, 2, 4, 1)]
RAW = {
    "size": np.array([1.0, np.nan, 3.0, 7.0]),
    "colour": np.array(["red", "blue", None, "red"], object),
    "day": np.array(["2020-01-01", "2020-02-03", None, "2021-01-01"], object),
    "words": WORDS,
    "photo": np.arange(4 * 3 * 5, dtype=np.uint8).reshape(4, 3, 5),
    "sound": np.linspace(-1, 1, 4 * 20).reshape(4, 20),
    "past": SERIES,
    "point": np.arange(12.0).reshape(4, 3),
    "ids": np.array([[1, 2], [3, 0], [0, 0], [2, 2]]),
}
FITTED = {
    "numbers": fit_numbers({"size": RAW["size"]}),
    "categories": fit_categories("colour", RAW["colour"]),
    "dates": fit_dates("day", RAW["day"]),
    "bag": fit_bag("words", WORDS),
    "tokens": fit_tokens("words", WORDS),
    "image": fit_image("photo", RAW["photo"]),
    "audio": fit_audio("sound", np.full(4, 0.02), rate=1000),
    "series": fit_series("past", SERIES),
    "vector": fit_vector("point", RAW["point"]),
    "ids": fit_ids("ids", RAW["ids"], output="ids"),
}


def test_every_kind_of_step_is_tried_here():
    assert set(FITTED) == set(STEPS) == set(KINDS)


@pytest.mark.parametrize("kind", STEPS)
def test_a_step_survives_json_and_gives_the_same_arrays(kind):
    preprocessing = Preprocessing((FITTED[kind],))
    again = Preprocessing.from_json(json.loads(json.dumps(preprocessing.to_json())))
    assert again == preprocessing
    first, second = preprocessing.apply(RAW), again.apply(RAW)
    for name, values in first.items():
        np.testing.assert_array_equal(second[name], values)


@pytest.mark.parametrize("kind", STEPS)
def test_examples_are_prepared_alone_as_together(kind):
    preprocessing = Preprocessing((FITTED[kind],))
    together = preprocessing.apply(RAW)
    for index in range(4):
        alone = preprocessing.apply({name: values[[index]] for name, values in RAW.items()})
        for name, values in together.items():
            np.testing.assert_allclose(alone[name][0], values[index], rtol=1e-6)


@pytest.mark.parametrize("kind", STEPS)
def test_raw_arrays_are_not_changed(kind):
    before = {name: values.copy() for name, values in RAW.items()}
    Preprocessing((FITTED[kind],)).apply(RAW)
    for name, values in before.items():
        assert all(
            np.array_equal(old, new, equal_nan=old.dtype.kind == "f")
            if isinstance(old, np.ndarray)
            else (old == new or old != old)
            for old, new in zip(values, RAW[name], strict=True)
        )


@pytest.mark.parametrize("kind", STEPS)
def test_features_tell_the_arrays(kind):
    preprocessing = Preprocessing((FITTED[kind],))
    batch = preprocessing.apply(RAW)
    for name, feature in input_features(preprocessing, RAW).items():
        assert (batch[name].shape[1:], batch[name].dtype.name) == (feature.shape, feature.dtype)
        assert (f"{name}.mask" in batch) == feature.variable


def test_steps_with_one_output_are_joined_in_order():
    steps = (FITTED["numbers"], FITTED["categories"])
    joined = Preprocessing(steps).apply(RAW)["columns"]
    parts = [Preprocessing((step,)).apply(RAW)["columns"] for step in steps]
    np.testing.assert_array_equal(joined, np.concatenate(parts, axis=1))
    assert Preprocessing(steps).columns == ("size", "colour")


def test_without_steps_raw_records_are_the_inputs():
    assert Preprocessing(()).apply(RAW) == RAW


def test_targets_and_other_columns_are_not_needed():
    assert list(Preprocessing((FITTED["numbers"],)).apply({"size": RAW["size"]})) == ["columns"]


def test_a_missing_column_is_named_with_a_near_one():
    with pytest.raises(DataError, match=r"needs the column 'size'.*did you mean 'sizes'"):
        Preprocessing((FITTED["numbers"],)).apply({"sizes": RAW["size"]})


def test_columns_of_unlike_length_are_refused():
    with pytest.raises(DataError, match="one length"):
        Preprocessing((FITTED["numbers"], FITTED["categories"])).apply(
            {"size": np.zeros(3), "colour": RAW["colour"]}
        )


@pytest.mark.parametrize("plain", [{}, [{"kind": "numbers"}], ["numbers"]])
def test_plain_data_that_is_no_preprocessing_is_refused(plain):
    with pytest.raises(DataError, match="preprocessing"):
        Preprocessing.from_json(plain)


def test_an_unknown_kind_of_step_is_refused_with_a_near_name():
    with pytest.raises(SettingError, match="did you mean 'numbers'"):
        Preprocessing((Step("number", ("a",), "columns"),))
