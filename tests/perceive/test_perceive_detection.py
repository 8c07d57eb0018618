"""Anchors, suppression and detection against closed forms and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.perceive.detection import (
    FACE_FULL_GRID,
    FACE_GRID,
    PALM_GRID,
    POSE_GRID,
    SAME_OBJECT,
    _anchors,
    detect,
    overlaps,
    suppress,
)
from pomona.perceive.holistic.models import far_faces, near_faces, pose_detector
from pomona.perceive.holistic.pose import whole


@pytest.mark.parametrize(
    ("grid", "size", "count"),
    [(POSE_GRID, 224, 2254), (FACE_GRID, 128, 896), (FACE_FULL_GRID, 192, 2304), (PALM_GRID, 192, 2016)],
)
def test_there_are_as_many_anchors_as_the_model_has_rows(grid, size, count):
    anchors = _anchors(grid, size)
    assert anchors.shape == (count, 2)
    assert anchors.min() > 0
    assert anchors.max() < 1
    np.testing.assert_allclose(anchors.mean(axis=0), 0.5)


def by_hand(box, other):
    across = min(box[2], other[2]) - max(box[0], other[0])
    down = min(box[3], other[3]) - max(box[1], other[1])
    shared = max(across, 0) * max(down, 0)
    area = lambda b: (b[2] - b[0]) * (b[3] - b[1])  # noqa: E731
    total = area(box) + area(other) - shared
    return shared / total if total > 0 else 0.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
def test_suppression_is_the_rule_taken_step_by_step(seed, count):
    generator = np.random.default_rng(seed)
    corner, side = generator.random((count, 2)), generator.random((count, 2)) * 0.6
    boxes = np.concatenate([corner, corner + side], axis=1)
    points, scores = generator.random((count, 3, 2)), generator.random(count)
    merged = suppress(boxes, points, scores)
    left = sorted(range(count), key=lambda i: -scores[i])
    for box, marks, score in merged:
        best = left[0]
        group = [i for i in left if i == best or by_hand(boxes[best], boxes[i]) > SAME_OBJECT]
        assert score == scores[best]
        np.testing.assert_allclose(box, np.average(boxes[group], axis=0, weights=scores[group]))
        np.testing.assert_allclose(marks, np.average(points[group], axis=0, weights=scores[group]))
        left = [i for i in left if i not in group]
    assert not left


def test_boxes_without_area_overlap_with_nothing():
    np.testing.assert_array_equal(overlaps(np.zeros(4), np.zeros((2, 4))), [0, 0])


def test_a_face_is_found_in_the_middle_of_its_eyes(photo):
    image = photo("scikit-image-samples/astronaut.png")
    for model, grid in ((near_faces(), FACE_GRID), (far_faces(), FACE_FULL_GRID)):
        best = detect(model, grid, image, whole(image), 0.5)[0]
        left, top, right, bottom = best.box
        assert left < best.points[:2, 0].mean() < right
        assert top < best.points[:2, 1].mean() < bottom
        np.testing.assert_allclose(best.points[:2].mean(axis=0), [224, 109], atol=12)


def test_nothing_is_found_in_an_empty_frame(asset):
    asset("mediapipe/pose_detection.tflite")
    image = np.full((120, 160, 3), 90, np.uint8)
    assert detect(pose_detector(), POSE_GRID, image, whole(image), 0.5) == []
