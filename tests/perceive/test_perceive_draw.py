"""Drawings lie where the landmarks are, in the colours of their sides, and nowhere else."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from pomona.perceive.draw import draw
from pomona.perceive.draw.lines import stroke_width, width_for
from pomona.perceive.draw.palette import LEFT, RIGHT
from pomona.perceive.holistic.landmarks import (
    FACE_CONTOURS,
    FACE_NOSE,
    HAND_CONNECTIONS,
    HAND_NAMES,
    POSE_CONNECTIONS,
    POSE_NAMES,
    face_mesh_edges,
    face_triangles,
)
from pomona.perceive.holistic.record import HolisticRecord, Observation

HEIGHT, WIDTH = 240, 320
GREY = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)


def columns(points, *values):
    """Landmarks from points and constant further columns."""
    points = np.asarray(points, np.float32)
    return np.column_stack([points, *[np.full(len(points), value, np.float32) for value in values]])


def person(**arrays):
    return HolisticRecord(person=0, frame=0, time_s=0.0, width=WIDTH, height=HEIGHT, **arrays)


def seen(*people):
    return Observation(0, 0.0, WIDTH, HEIGHT, people)


@pytest.fixture
def standing():
    """The person's left is on the right side of the picture."""
    points = np.random.default_rng(0).uniform((120, 20), (200, 60), (33, 2))
    for index, name in enumerate(POSE_NAMES):
        if index > 10:
            x = 220 if "left" in name else 100
            points[index] = (x + index % 3 * 4, 60 + 8 * (index - 11) // 2)
    return person(pose=columns(points, 0, 1, 1))


def changed(image):
    return (image != GREY).any(axis=2)


def test_a_picture_without_people_stays_as_it_is():
    drawn = draw(GREY, seen())
    assert np.array_equal(drawn, GREY)
    assert drawn is not GREY


def test_the_given_picture_is_not_written_to(standing):
    image = GREY.copy()
    image.setflags(write=False)
    assert changed(draw(image, seen(standing))).any()
    assert np.array_equal(image, GREY)


def test_left_and_right_have_their_colours(standing):
    drawn = draw(GREY, seen(standing)).astype(int)
    for name, colour in (("left_elbow", LEFT), ("right_elbow", RIGHT)):
        x, y = standing.pose[POSE_NAMES.index(name), :2].astype(int)
        assert np.abs(drawn[y, x] - colour).max() < 10


def test_only_pixels_near_an_edge_or_a_point_change(standing):
    """Brute force: the distance of every pixel to the nearest drawn segment."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    pixels = np.stack([x, y], axis=-1).astype(float)
    nearest = np.full((HEIGHT, WIDTH), np.inf)
    segments = POSE_CONNECTIONS
    for first, second in segments:
        start, end = standing.pose[first, :2].astype(float), standing.pose[second, :2].astype(float)
        length = max(((end - start) ** 2).sum(), 1e-9)
        share = np.clip(((pixels - start) @ (end - start)) / length, 0, 1)[..., None]
        nearest = np.minimum(nearest, np.linalg.norm(pixels - start - share * (end - start), axis=-1))
    where = changed(draw(GREY, seen(standing)))
    assert nearest[where].max() <= stroke_width(GREY) + 3
    assert where[nearest < 0.5].all()


def test_uncertain_points_are_faint(standing):
    doubtful = standing.pose.copy()
    doubtful[:, 3] = 0.1
    difference = {
        name: np.abs(draw(GREY, seen(replace(standing, pose=pose))).astype(int) - 128).sum()
        for name, pose in (("sure", standing.pose), ("doubtful", doubtful))
    }
    assert 0 < difference["doubtful"] < 0.5 * difference["sure"]


def test_points_that_are_absent_or_far_outside_are_left_out(standing):
    wild = standing.pose.copy()
    wild[11:, 0] = np.nan
    wild[:11, 0] = 1e9
    assert np.array_equal(draw(GREY, seen(replace(standing, pose=wild))), GREY)
    face = columns(np.random.default_rng(0).uniform(50, 90, (478, 2)), 0, 1)
    without = face.copy()
    without[468:] = np.nan
    with_irises = draw(GREY, seen(person(face=face)))
    assert changed(draw(GREY, seen(person(face=without)))).sum() < changed(with_irises).sum()


def test_parts_can_be_left_out(standing):
    rng = np.random.default_rng(1)
    full = replace(
        standing,
        left_hand=columns(rng.uniform(200, 235, (21, 2)), 0, 1),
        right_hand=columns(rng.uniform(5, 40, (21, 2)), 0, 1),
        face=columns(rng.uniform(100, 120, (478, 2)), 0, 1),
    )
    drawn = {
        chosen: changed(draw(GREY, seen(full), parts=chosen))
        for length in range(4)
        for chosen in itertools.combinations(("pose", "hands", "face"), length)
    }
    assert not drawn[()].any()
    assert len({picture.tobytes() for picture in drawn.values()}) == 8
    assert drawn[("hands",)][200:, 200:].any()
    assert drawn[("hands",)][:45, :45].any()
    assert not drawn[("pose",)][:45, :45].any()


def test_a_mask_tints_the_person_and_nothing_else():
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[40:90, 100:150] = 255
    where = changed(draw(GREY, seen(person(mask=mask))))
    assert np.array_equal(where, mask > 0)
    empty = np.zeros_like(mask)
    assert np.array_equal(draw(GREY, seen(person(mask=empty))), GREY)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2000, 40)])
def test_pictures_of_any_size_can_be_drawn_on(standing, size):
    image = np.zeros((*size, 3), np.uint8)
    assert draw(image, seen(standing, replace(standing, person=1))).shape == image.shape


def test_small_people_in_large_pictures_have_thin_lines():
    image = np.empty((1080, 1920, 3), np.uint8)
    points = np.random.default_rng(0).uniform(0, 1, (33, 2))
    points[0] = np.nan
    widths = [width_for(points * height, image, 0.008) for height in (10, 200, 500, 2000)]
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (1, stroke_width(image))
    assert width_for(np.full((33, 2), np.nan), image, 0.008) == 1


def test_lines_grow_with_the_picture():
    widths = [stroke_width(np.empty((side, 2 * side, 3), np.uint8)) for side in (10, 240, 480, 1080, 2160)]
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (1, 9)


def test_every_connection_joins_landmarks_that_exist_and_all_are_joined():
    assert (len(POSE_NAMES), len(HAND_NAMES)) == (33, 21)
    assert len({*POSE_NAMES}) == 33
    assert len({*HAND_NAMES}) == 21
    assert len({*POSE_CONNECTIONS}) == len(POSE_CONNECTIONS) == 35
    assert len({*HAND_CONNECTIONS}) == len(HAND_CONNECTIONS) == 21
    assert {index for edge in POSE_CONNECTIONS for index in edge} == set(range(33))
    assert {index for edge in HAND_CONNECTIONS for index in edge} == set(range(21))


def test_left_and_right_are_joined_alike():
    def mirrored(name):
        left, right = name.replace("left", "right"), name.replace("right", "left")
        return left if "left" in name else right

    named = {frozenset(POSE_NAMES[index] for index in edge) for edge in POSE_CONNECTIONS}
    assert {frozenset(mirrored(name) for name in edge) for edge in named} == named


def test_the_face_mesh_is_one_surface():
    """Euler's formula for a disc with as many holes as it has loops of border, less one."""
    triangles, edges = face_triangles(), face_mesh_edges()
    assert triangles.shape == (852, 3)
    assert edges.shape == (1322, 2)
    assert set(triangles.ravel()) == set(range(468))
    sides = np.sort(
        np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1
    )
    _, uses = np.unique(sides, axis=0, return_counts=True)
    assert set(uses) == {1, 2}, "every side is of one triangle at the border, of two within"
    assert 468 - len(edges) + len(triangles) == 1 - (num_loops(edges[uses == 1]) - 1)


def num_loops(border):
    neighbours = {}
    for first, second in border.tolist():
        neighbours.setdefault(first, []).append(second)
        neighbours.setdefault(second, []).append(first)
    loops, left = 0, set(neighbours)
    while left:
        loops += 1
        waiting = [left.pop()]
        while waiting:
            for near in neighbours[waiting.pop()]:
                if near in left:
                    left.remove(near)
                    waiting.append(near)
    return loops


def test_contours_are_sides_of_the_mesh_or_irises():
    sides = {frozenset(edge) for edge in face_mesh_edges().tolist()}
    for name, edges in {**FACE_CONTOURS, "nose": FACE_NOSE}.items():
        joined = {frozenset(edge) for edge in edges}
        if "iris" in name:
            assert {index for edge in edges for index in edge} <= set(range(468, 478))
        else:
            assert joined <= sides, name
