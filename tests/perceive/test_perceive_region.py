"""Rotated rectangles against plain geometry."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.perceive.region import Region, heading, turned

regions = st.builds(
    Region,
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
    width=st.floats(1, 400),
    height=st.floats(1, 400),
    rotation=st.floats(-math.pi, 3.14),
)


@given(regions)
def test_inside_undoes_project(region):
    points = np.array([[0.1, 0.9], [0.5, 0.5], [1.3, -0.2]])
    np.testing.assert_allclose(region.inside(region.project(points)) + 0.5, points, atol=1e-9)


@given(regions)
def test_corners_span_the_sides(region):
    top_left, top_right, bottom_right, bottom_left = region.corners()
    assert math.dist(top_left, top_right) == pytest.approx(region.width)
    assert math.dist(top_right, bottom_right) == pytest.approx(region.height)
    np.testing.assert_allclose((top_left + bottom_right) / 2, [region.x, region.y], atol=1e-9)
    np.testing.assert_allclose((top_right + bottom_left) / 2, [region.x, region.y], atol=1e-9)


@given(st.floats(-50, 50))
def test_a_turned_angle_is_the_same_direction_within_half_a_turn(angle):
    assert -math.pi <= turned(angle) < math.pi
    assert math.cos(turned(angle)) == pytest.approx(math.cos(angle), abs=1e-9)
    assert math.sin(turned(angle)) == pytest.approx(math.sin(angle), abs=1e-9)


@given(st.floats(-3, 3), st.sampled_from([0.0, math.pi / 2, -math.pi / 2]))
def test_in_a_region_with_a_heading_the_vector_points_to_the_target(angle, target):
    start, end = np.array([10.0, 20.0]), np.array([10 + 5 * math.cos(angle), 20 - 5 * math.sin(angle)])
    region = Region(10, 20, 1, 1, heading(start, end, target))
    x, y = region.inside(end[None])[0]
    assert (x, -y) == pytest.approx((5 * math.cos(target), 5 * math.sin(target)), abs=1e-6)


def test_transformed_is_shifted_along_its_own_axes_and_squared_on_the_longer_side():
    region = Region(100, 50, 40, 20, math.pi / 2).transformed(2.0, shift_y=-0.5)
    assert (region.width, region.height) == (80, 80)
    assert (region.x, region.y) == pytest.approx((110, 50))  # up, turned by a quarter clockwise, is right


def test_padded_grows_only_the_side_that_is_too_short():
    assert Region(0, 0, 10, 10).padded(2.0) == Region(0, 0, 10, 20)
    assert Region(0, 0, 10, 10).padded(0.5) == Region(0, 0, 20, 10)
