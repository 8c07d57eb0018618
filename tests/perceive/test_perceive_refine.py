"""The attention mesh against MediaPipe's own answers, its operations against SciPy and plain geometry."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from pomona.foundation.errors import AssetError
from pomona.perceive.refine import AttentionMesh
from pomona.perceive.refine.attention import SIDE, Closeup, resample
from pomona.perceive.region import Region

ORACLES = Path(__file__).parents[1] / "oracles"
sys.path.insert(0, str(ORACLES))
from holistic_frames import FACES, STILLS, read_photo, square  # noqa: E402

PATHS = {still.name: still.path for still in STILLS}


@pytest.fixture(scope="module")
def mesh(asset):
    return AttentionMesh(asset("mediapipe/face_landmark_with_attention.tflite"))


@pytest.fixture(scope="module")
def recorded():
    with np.load(ORACLES / "attention_mesh.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def face(asset):
    """The 192 x 192 picture of a name in the recording."""

    def make(name: str) -> np.ndarray:
        still, _, turned = name.partition("_")
        picture = square(read_photo(asset(PATHS[still])), *FACES[still], SIDE)
        return np.ascontiguousarray(np.rot90(picture)) if turned else picture

    return make


@pytest.mark.parametrize(
    "name", ["messi5", "basketball1", "basketball1_turned", "basketball2", "basketball2_turned", "astronaut"]
)
def test_all_478_points_are_mediapipes_to_a_thousandth_of_a_pixel(mesh, recorded, face, name):
    points, score = mesh.run(face(name)[None].astype(np.float32) / np.float32(255))
    assert score > 0.5
    np.testing.assert_allclose(points * SIDE, recorded[name] * SIDE, atol=1e-3)


def test_where_mediapipe_finds_no_face_the_score_is_low(mesh, face):
    assert mesh.run(face("astronaut_turned")[None].astype(np.float32) / np.float32(255))[1] < 0.5


def test_a_region_is_read_in_the_pixels_of_its_frame(mesh, asset, recorded):
    photo = read_photo(asset(PATHS["astronaut"]))
    x, y, side = FACES["astronaut"]
    points, score = mesh.read(photo, Region(x, y, side, side))
    expected = (recorded["astronaut"] - [0.5, 0.5, 0]) * side + [x, y, 0]
    assert score > 0.5
    np.testing.assert_allclose(points, expected, atol=0.5)  # two ways of resampling


def test_a_matrix_puts_the_grids_corners_around_the_turned_box_of_the_points():
    turn, size = 0.3, 16
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    level = np.array([[-4.0, 0], [4, 0], [0, -2], [1, 2]])
    points = level @ axes + [20, 25]
    matrix = Closeup(np.arange(4), 0, 1, size, 1.5).matrix(points)
    corners = np.array([[0, 0, 1], [size, 0, 1], [size, size, 1], [0, size, 1]])
    expected = np.array([[-6, -3], [6, -3], [6, 3], [-6, 3]]) @ axes + [20, 25]
    np.testing.assert_allclose(corners @ matrix.T, expected, atol=1e-12)


def test_resampling_is_scipys_bilinear_and_zero_outside():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((12, 9, 3)).astype(np.float32)
    matrix = np.array([[0.5, 0.2, -1.0], [-0.3, 0.7, 1.5]])
    found = resample(features, matrix, 16)
    across, down = np.meshgrid(np.arange(16) + 0.5, np.arange(16) + 0.5)
    x, y = (row[0] * across + row[1] * down + row[2] - 0.5 for row in matrix)
    inside = (x >= 0) & (x <= 8) & (y >= 0) & (y <= 11)
    for channel in range(3):
        values = map_coordinates(features[..., channel], [y, x], order=1, mode="nearest")
        np.testing.assert_allclose(found[..., channel], np.where(inside, values, 0), atol=1e-5)
    assert 0 < inside.sum() < inside.size


def test_another_model_is_refused_by_name(asset):
    with pytest.raises(AssetError, match=r"face_landmark\.tflite is not the face mesh with attention"):
        AttentionMesh(asset("mediapipe/face_landmark.tflite"))
