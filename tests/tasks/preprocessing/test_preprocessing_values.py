import math
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.tasks.preprocessing.values import as_numbers, as_text, decimal_sign, number_of


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1.5", ".", 1.5),
        (" -2e3 ", ".", -2000.0),
        ("1,234", ".", 1234.0),
        ("1,234,567.25", ".", 1234567.25),
        ("1,5", ",", 1.5),
        ("1.234,5", ",", 1234.5),
        ("1 234,5", ",", 1234.5),
        ("0.997", ",", 0.997),
        ("$1,234.50", ".", 1234.5),
        ("12 %", ".", 12.0),
        ("€ 3", ".", 3.0),
        ("1,5", ".", math.nan),
        ("1,23,4", ".", math.nan),
        ("x", ".", math.nan),
        ("", ",", math.nan),
    ],
)
def test_numbers_are_read_as_people_write_them(text, decimal, number):
    assert number_of(text, decimal) == pytest.approx(number, nan_ok=True)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30))
def test_numbers_survive_being_text_and_infinities_are_missing(numbers):
    expected = [number if math.isfinite(number) else math.nan for number in numbers]
    as_objects = objects(*(repr(number) for number in numbers))
    np.testing.assert_array_equal(as_numbers(as_objects), expected)
    np.testing.assert_array_equal(as_numbers(np.array(numbers)), expected)


def test_the_fast_parser_and_the_slow_one_agree():
    cells = ["1", "2.5", "-3e-4", "", "NA", "null", "nan", "1e400"] * 200
    fast = as_numbers(objects(*cells))
    slow = np.concatenate([as_numbers(objects(cell)) for cell in cells])
    np.testing.assert_array_equal(fast, slow)
    np.testing.assert_array_equal(as_numbers(objects(*cells, "1,234")), [*slow, 1234])


def test_missing_values_of_every_kind_are_missing():
    cells = objects(None, math.nan, pd.NA, pd.NaT, "", "  ", "NA", "n/a", "NaN", "null", "inf")
    assert all(text is None for text in as_text(cells))
    assert np.isnan(as_numbers(cells)).all()


def test_equal_values_have_equal_text_whatever_their_type():
    assert as_text(objects(3, 3.0, "3", "3.0", np.int8(3), " 3 ")).tolist() == ["3"] * 6
    assert as_text(objects(True, "True", "TRUE", np.True_)).tolist() == ["true"] * 4
    assert as_text(np.array([1.5, 2.0])).tolist() == ["1.5", "2"]
    assert as_text(np.array([True, False])).tolist() == ["true", "false"]
    assert as_text(objects(1, True)).tolist() == ["1", "true"]  # equal as keys of a dict, not as text


def test_other_objects_become_text_too():
    moment = datetime(2020, 1, 2, tzinfo=UTC)
    assert as_text(objects(b"abc", moment, [1])).tolist() == ["abc", str(moment), "[1]"]
    assert as_text(np.array(["2020-01-02", "NaT"], "datetime64[D]")).tolist() == ["2020-01-02", None]


def test_the_decimal_sign_is_told_from_the_texts():
    assert decimal_sign(objects("1", "2.5")) == "."
    assert decimal_sign(objects("1,5", "2")) == ","
    assert decimal_sign(objects("1,234", "5")) == "."
    assert decimal_sign(objects("1,234", "5"), comma_is_likely=True) == ","
    assert decimal_sign(objects("1,234.5", "5"), comma_is_likely=True) == "."
