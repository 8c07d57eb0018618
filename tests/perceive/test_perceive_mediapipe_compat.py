"""Programs written for MediaPipe's Holistic: names, values and drawings as MediaPipe 0.10.21 has them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pomona.foundation.errors import DataError
from pomona.perceive import mediapipe_compat as compat
from pomona.perceive.mediapipe_compat import (
    Landmark,
    NormalizedLandmark,
    NormalizedLandmarkList,
    drawing_styles,
    drawing_utils,
)

SEEN, PLACE = ("x", "y", "z", "visibility"), ("x", "y", "z")
HEIGHT, WIDTH = 342, 548  # of messi5.jpg


@pytest.fixture(scope="module")
def recorded():
    with np.load(Path(__file__).parents[1] / "oracles" / "mediapipe_drawing.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def results(photo):
    with compat.Holistic(static_image_mode=True) as holistic:
        return holistic.process(photo("opencv-samples/messi5.jpg"))


def test_connections_are_those_of_mediapipe(recorded):
    names = [name.removeprefix("edges_") for name in recorded if name.startswith("edges_")]
    assert len(names) >= 14
    for name in names:
        assert isinstance(getattr(compat, name), frozenset)
        assert getattr(compat, name) == {tuple(edge) for edge in recorded[f"edges_{name}"].tolist()}


def test_landmarks_are_named_and_numbered_as_in_mediapipe(recorded):
    for enum, name in ((compat.PoseLandmark, "pose"), (compat.HandLandmark, "hand")):
        assert [(point.name, point.value) for point in enum] == [
            (str(text), index) for index, text in enumerate(recorded[f"names_{name}"])
        ]


@pytest.mark.parametrize("part", ["pose", "left_hand", "right_hand", "face"])
def test_landmarks_of_a_photo_are_mediapipes(part, recorded, results):
    points = getattr(results, f"{part}_landmarks").landmark
    fields = SEEN if part == "pose" else PLACE
    values = np.array([[getattr(point, field) for field in fields] for point in points])
    away = (values - recorded[f"points_{part}"])[:, :2] * [WIDTH, HEIGHT]
    assert np.median(np.linalg.norm(away, axis=1)) < 0.1
    np.testing.assert_allclose(values[:, 2:], recorded[f"points_{part}"][:, 2:], atol=5e-3)


def test_world_landmarks_of_a_photo_are_mediapipes(recorded, results):
    points = results.pose_world_landmarks.landmark
    values = np.array([[getattr(point, field) for field in SEEN] for point in points])
    np.testing.assert_allclose(values, recorded["points_pose_world"], atol=2e-3)
    assert isinstance(points[0], Landmark)


def test_fields_are_given_for_the_parts_that_mediapipe_gives_them_for(results):
    for landmarks in (results.pose_landmarks, results.pose_world_landmarks):
        assert all(point.HasField("visibility") and not point.HasField("presence") for point in landmarks)
    for landmarks in (results.left_hand_landmarks, results.face_landmarks):
        assert not any(point.HasField("visibility") or point.HasField("presence") for point in landmarks)
    assert len(results.face_landmarks.landmark) == 468
    assert results.segmentation_mask is None


def test_nothing_is_none(results):
    with compat.Holistic() as holistic:
        nothing = holistic.process(np.zeros((64, 64, 3), np.uint8))
    assert nothing._fields == results._fields
    assert nothing == (None,) * 6


def test_the_mask_is_float32_in_shares(photo):
    with compat.Holistic(enable_segmentation=True) as holistic:
        mask = holistic.process(photo("opencv-samples/messi5.jpg")).segmentation_mask
    assert (mask.dtype, mask.shape) == (np.float32, (HEIGHT, WIDTH))
    assert mask.min() == 0
    assert 0.9 < mask.max() <= 1
    assert 0.02 < mask.mean() < 0.5


def test_each_call_is_the_next_frame_of_thirty_a_second(photo, monkeypatch):
    image = photo("opencv-samples/messi5.jpg")

    def moved() -> np.ndarray:
        with compat.Holistic() as holistic:
            seen = [holistic.process(np.roll(image, 3 * index, axis=1)) for index in range(4)]
        return np.array([[point.x for point in result.pose_landmarks] for result in seen])

    first = moved()
    # a clock that stands still changes nothing: the clock is not asked
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    np.testing.assert_array_equal(first, moved())


def test_reset_makes_the_next_picture_the_first(photo):
    image = photo("opencv-samples/messi5.jpg")
    with compat.Holistic() as holistic:
        first = holistic.process(image)
        holistic.process(np.roll(image, 5, axis=1))
        holistic.reset()
        assert holistic.process(image).pose_landmarks == first.pose_landmarks


def test_a_picture_that_is_not_rgb_is_refused_with_a_value_error():
    with compat.Holistic() as holistic:
        for shape in ((10, 10, 4), (10, 10)):
            with pytest.raises(ValueError, match="RGB"):
                holistic.process(np.zeros(shape, np.uint8))


def test_smoothing_that_cannot_be_told_apart_warns():
    with pytest.warns(UserWarning, match="smooth_segmentation"):
        compat.Holistic(enable_segmentation=True, smooth_segmentation=False).close()


def test_a_landmark_answers_as_a_protocol_buffer(recorded):
    point = NormalizedLandmark(x=0.25, y=0.5)
    assert (point.x, point.z, point.visibility) == (0.25, 0.0, 0.0)
    assert point.HasField("x")
    assert not point.HasField("visibility")
    point.visibility = 0.75
    assert point.HasField("visibility")
    other = NormalizedLandmark()
    other.CopyFrom(point)
    assert other == point
    point.ClearField("visibility")
    assert not point.HasField("visibility")
    assert other != point
    with pytest.raises(ValueError, match="no field 'w'"):
        point.HasField("w")
    with pytest.raises(AttributeError, match="no field 'w'"):
        point.w = 1.0
    with pytest.raises(ValueError, match="no field 'w'"):
        NormalizedLandmark(w=1.0)
    shown = NormalizedLandmarkList.of(SEEN, recorded["points_pose"]).landmark[0]
    assert str(shown) == str(recorded["text"])


def test_a_list_iterates_counts_takes_more_and_is_true_even_when_empty():
    landmarks = NormalizedLandmarkList()
    assert landmarks
    assert len(landmarks) == 0
    landmarks.landmark.extend([NormalizedLandmark(x=0.1), NormalizedLandmark(x=0.2)])
    assert [point.x for point in landmarks] == [0.1, 0.2]
    assert landmarks[1] is landmarks.landmark[1]
    copy = NormalizedLandmarkList()
    copy.CopyFrom(landmarks)
    assert copy == landmarks
    assert copy.landmark[0] is not landmarks.landmark[0]
    assert str(copy).startswith("landmark {\n  x: 0.1\n}\n")


def test_defaults_draw_the_picture_that_mediapipe_draws(recorded):
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    drawing_utils.draw_landmarks(picture, _points(recorded, "pose"), compat.POSE_CONNECTIONS)
    drawing_utils.draw_landmarks(picture, _points(recorded, "left_hand"), compat.HAND_CONNECTIONS)
    np.testing.assert_array_equal(picture, recorded["drawn_plain"])


def test_styles_draw_the_picture_that_mediapipe_draws(recorded):
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for edges, style in (
        (compat.FACEMESH_TESSELATION, drawing_styles.get_default_face_mesh_tesselation_style()),
        (compat.FACEMESH_CONTOURS, drawing_styles.get_default_face_mesh_contours_style()),
        (compat.FACEMESH_NOSE, drawing_styles.get_default_face_mesh_contours_style(1)),
    ):
        drawing_utils.draw_landmarks(picture, _points(recorded, "face"), edges, None, style)
    pose = drawing_styles.get_default_pose_landmarks_style()
    drawing_utils.draw_landmarks(picture, _points(recorded, "pose"), compat.POSE_CONNECTIONS, pose)
    for part in ("left_hand", "right_hand"):
        drawing_utils.draw_landmarks(
            picture,
            _points(recorded, part),
            compat.HAND_CONNECTIONS,
            drawing_styles.get_default_hand_landmarks_style(),
            drawing_styles.get_default_hand_connections_style(),
        )
    np.testing.assert_array_equal(picture, recorded["drawn_styled"])


def test_irises_are_green_on_the_left_and_red_on_the_right():
    style = drawing_styles.get_default_face_mesh_iris_connections_style()
    assert style.keys() == compat.FACEMESH_IRISES
    assert {style[edge].color for edge in compat.FACEMESH_LEFT_IRIS} == {(48, 255, 48)}
    assert {style[edge].color for edge in compat.FACEMESH_RIGHT_IRIS} == {(48, 48, 255)}


def test_nothing_and_hidden_points_and_points_outside_are_not_drawn():
    picture = np.full((40, 40, 3), 128, np.uint8)
    hidden = NormalizedLandmark(x=0.5, y=0.5, visibility=0.4)
    beyond, unknown = NormalizedLandmark(x=1.5, y=0.5), NormalizedLandmark(x=float("nan"), y=0.5)
    drawing_utils.draw_landmarks(picture, None)
    drawing_utils.draw_landmarks(picture, NormalizedLandmarkList([hidden, beyond, unknown]), [(0, 1), (1, 2)])
    assert (picture == 128).all()


def test_a_picture_or_connection_that_does_not_fit_is_refused():
    landmarks = NormalizedLandmarkList([NormalizedLandmark(x=0.5, y=0.5)])
    with pytest.raises(DataError, match="three channels"):
        drawing_utils.draw_landmarks(np.zeros((4, 4), np.uint8), landmarks)
    with pytest.raises(DataError, match="0–7"):
        drawing_utils.draw_landmarks(np.zeros((4, 4, 3), np.uint8), landmarks, [(0, 7)])


def test_neither_torch_nor_mediapipe_is_loaded():
    code = (
        "import sys; from pomona.perceive import mediapipe_compat as c;"
        "c.Holistic, c.drawing_styles, c.FACEMESH_TESSELATION;"
        "print([n for n in ('torch', 'mediapipe', 'cv2', 'pandas') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _points(recorded: dict[str, np.ndarray], part: str) -> NormalizedLandmarkList:
    return NormalizedLandmarkList.of(SEEN if part == "pose" else PLACE, recorded[f"points_{part}"])
