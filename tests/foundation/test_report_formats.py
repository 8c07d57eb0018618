import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pomona.foundation.report.drawing.axes import make_axis
from pomona.foundation.report.formats import THIN_SPACE, common_decimals, show

CASES = [
    (None, "auto", "–"),
    (math.nan, "auto", "–"),
    (True, "auto", "yes"),
    ("a-b", "auto", "a-b"),
    (0, "auto", "0"),
    (-0.00000001, "percent", "0.00 %"),
    (0.5, "auto", "0.5"),
    (-12.3456, "auto", "−12.35"),
    (1234, "auto", "1234"),
    (12345.6, "auto", "12 346"),
    (1.2e-7, "auto", "1.2×10⁻⁷"),
    (3e20, "auto", "3×10²⁰"),
    (0.99444, "percent", "99.44 %"),
    (12345.0, "integer", "12 345"),
    (0.0000021, "seconds", "2.1 µs"),
    (0.0123, "seconds", "12.3 ms"),
    (59.94, "seconds", "59.9 s"),
    (59.97, "seconds", "1 min 0 s"),
    (7323.0, "seconds", "2 h 2 min"),
    (0.0, "seconds", "0 s"),
    (999, "bytes", "999 B"),
    (1_500_000, "bytes", "1.5 MB"),
    (999_950, "bytes", "1 MB"),
]


@pytest.mark.parametrize(("value", "format", "expected"), CASES)
def test_numbers_read_as_people_write_them(value, format, expected):
    assert show(value, format).replace(THIN_SPACE, " ") == expected


@pytest.mark.parametrize(
    ("values", "format", "decimals"),
    [
        ([1, 2, 3], "auto", 0),
        ([0.9, 0.95, 1.0], "auto", 2),
        ([0.98765, 0.5], "auto", 4),
        ([123.456, 1.5], "auto", 1),
        ([0.98, None, "x"], "percent", 2),
        ([1e-6, 5.5], "auto", None),
        ([], "auto", 0),
        ([0.5], "seconds", None),
    ],
)
def test_a_column_has_one_number_of_digits(values, format, decimals):
    assert common_decimals(values, format) == decimals


finite = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(st.lists(finite, min_size=1, max_size=5), st.sampled_from([0.0, 0.05]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_an_axis_holds_its_values_and_has_distinct_round_ticks(values, margin, reach_ticks):
    axis = make_axis(values, margin=margin, reach_ticks=reach_ticks)
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value in values)
    assert all(-1e-6 <= axis.place(tick) <= 1 + 1e-6 for tick in axis.ticks)
    assert 2 <= len(axis.ticks) <= 10
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert len(axis.labels) == len(axis.ticks)


@given(st.floats(1e-6, 1e6), st.floats(1, 1e9))
@settings(max_examples=200, deadline=None)
def test_a_logarithmic_axis_holds_its_values_and_has_ticks(low, factor):
    axis = make_axis([low, low * factor], is_log=True)
    assert axis.place(low) >= -1e-6
    assert axis.place(low * factor) <= 1 + 1e-6
    assert 1 <= len(axis.ticks) <= 9
    assert all(-0.01 <= axis.place(tick) <= 1.01 for tick in axis.ticks)


def test_tick_labels_tell_neighbours_apart():
    percents = make_axis([0.985, 0.995], format="percent", reach_ticks=True).labels
    tenths = ("98.4", "98.6", "98.8", "99.0", "99.2", "99.4", "99.6")
    assert percents == tuple(f"{value}{THIN_SPACE}%" for value in tenths)
    for low, high in ((0.985, 0.995), (0.0, 1.0), (1e4, 1.4e4), (1e6, 1.0004e6), (-3e-5, 4e-5)):
        labels = make_axis([low, high]).labels
        assert len(set(labels)) == len(labels) >= 3
    assert make_axis([0.0, 250_000.0]).labels[-1] == f"250{THIN_SPACE}k"
