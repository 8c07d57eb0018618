"""Movements as BVH: joints land where the landmarks are, by our own placing and by a library's."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from landmark_samples import HEIGHT, WIDTH, dancer, observation, person
from scipy.spatial.transform import Rotation

from pomona.perceive.formats import write_bvh
from pomona.perceive.formats.skeleton import points_of, skeleton
from pomona.perceive.holistic.record import HolisticRecord, Observation

ORACLES = Path(__file__).parents[1] / "oracles"
WITH_FINGERS = skeleton((True, True))


@dataclass(frozen=True)
class Parsed:
    """A BVH file as read by the few lines below, joints in the order of the file."""

    names: list[str]
    parents: list[int]
    offsets: np.ndarray
    num_ends: int
    frame_time: float
    channels: np.ndarray

    def positions(self) -> np.ndarray:
        """Where each joint is at each frame, by SciPy's rotations, in the unit of the file."""
        turned: list[Rotation] = []
        placed = np.zeros((len(self.channels), len(self.names), 3))
        for index, parent in enumerate(self.parents):
            own = Rotation.from_euler("ZXY", self.channels[:, 3 + 3 * index : 6 + 3 * index], degrees=True)
            if parent < 0:
                placed[:, index] = self.channels[:, :3]
                turned.append(own)
            else:
                placed[:, index] = placed[:, parent] + turned[parent].apply(self.offsets[index])
                turned.append(turned[parent] * own)
        return placed


def parse(path: Path) -> Parsed:
    names, parents, offsets, stack, ends = [], [], [], [], 0
    lines = iter(path.read_text().splitlines())
    for line in lines:
        words = line.split()
        match words:
            case ["ROOT" | "JOINT", name]:
                parents.append(stack[-1] if stack else -1)
                names.append(name)
            case ["End", "Site"]:
                ends += 1
            case ["{"]:
                stack.append(len(names) - 1)
            case ["}"]:
                stack.pop()
            case ["OFFSET", *numbers] if len(offsets) < len(names):
                offsets.append([float(number) for number in numbers])
            case ["Frame", "Time:", step]:
                frame_time = float(step)
                break
    channels = np.array([[float(number) for number in line.split()] for line in lines])
    return Parsed(names, parents, np.array(offsets), ends, frame_time, channels)


def _errors_m(path: Path, observations: list[Observation], joints=WITH_FINGERS) -> np.ndarray:
    """How far each joint is from its landmark, frame by frame."""
    parsed = parse(path)
    points = np.array([points_of(seen[0]) for seen in observations])
    by_name = {joint.name: joint.point for joint in joints}
    return np.linalg.norm(
        parsed.positions() / 100 - points[:, [by_name[name] for name in parsed.names]], axis=2
    )


def test_joints_of_a_body_with_rigid_bones_land_on_their_landmarks(tmp_path):
    given = dancer(40)
    (path,) = write_bvh(given, tmp_path / "d.bvh")
    assert _errors_m(path, given).max() < 1e-4


def test_joints_land_within_two_centimetres_under_noise(tmp_path):
    given = dancer(60, noise_m=0.005)
    (path,) = write_bvh(given, tmp_path / "d.bvh")
    errors = _errors_m(path, given)
    assert np.median(errors) < 0.01
    assert np.quantile(errors, 0.95) < 0.02


def test_joints_of_real_landmarks_land_within_two_centimetres_in_the_median(tmp_path):
    with np.load(ORACLES / "holistic_mediapipe.npz") as arrays:
        world = arrays["clip_pose_world"][:, :, :3]
    given = [
        observation(frame, HolisticRecord(0, frame, frame / 30, WIDTH, HEIGHT, pose_world=points))
        for frame, points in enumerate(world)
    ]
    (path,) = write_bvh(given, tmp_path / "d.bvh")
    errors = _errors_m(path, given, skeleton((False, False)))
    assert np.median(errors, axis=0).max() < 0.02


def test_a_library_puts_the_joints_where_we_do(tmp_path):
    with np.load(ORACLES / "bvh_positions.npz") as recorded:
        text, names, positions = str(recorded["text"]), recorded["names"].tolist(), recorded["positions"]
    (tmp_path / "recorded.bvh").write_text(text)
    parsed = parse(tmp_path / "recorded.bvh")
    order = [names.index(name) for name in parsed.names]
    np.testing.assert_allclose(parsed.positions(), positions[:, order], atol=2e-3)
    again = parse(write_bvh(dancer(12), tmp_path / "d.bvh")[0])
    assert again.names == parsed.names
    np.testing.assert_allclose(again.positions(), positions[:, order], atol=2e-3)


def test_left_is_left_up_is_up_and_the_face_is_before_the_head(tmp_path):
    pose = np.zeros((33, 3), np.float32)
    places = {0: (0, -0.6, -0.1), 7: (0.07, -0.65, 0), 8: (-0.07, -0.65, 0), 11: (0.2, -0.5, 0)}
    places |= {12: (-0.2, -0.5, 0), 13: (0.5, -0.5, 0), 14: (-0.5, -0.5, 0), 15: (0.7, -0.5, 0)}
    places |= {16: (-0.7, -0.5, 0), 23: (0.1, 0, 0), 24: (-0.1, 0, 0), 25: (0.1, 0.4, 0), 26: (-0.1, 0.4, 0)}
    places |= {27: (0.1, 0.8, 0), 28: (-0.1, 0.8, 0), 29: (0.1, 0.85, 0.05), 30: (-0.1, 0.85, 0.05)}
    places |= {31: (0.1, 0.85, -0.15), 32: (-0.1, 0.85, -0.15)}
    for index, place in places.items():
        pose[index] = place
    for side, out in ((0, 1), (1, -1)):
        for point, place in ((17, (0.78, -0.5, 0.03)), (19, (0.79, -0.5, -0.02)), (21, (0.75, -0.5, -0.04))):
            pose[point + side] = np.array(place) * [out, 1, 1]
    record = HolisticRecord(0, 0, 0.0, WIDTH, HEIGHT, pose_world=pose)
    parsed = parse(write_bvh([observation(0, record)], tmp_path / "d.bvh")[0])
    # MediaPipe's T towards the camera is the rest pose: nothing is turned
    joints = [parsed.names.index(name) for name in ("Hips", "LeftArm", "LeftForeArm", "RightLeg")]
    assert np.abs(parsed.channels[0, 3:].reshape(-1, 3)[joints]).max() < 1e-3
    place = dict(zip(parsed.names, parsed.positions()[0], strict=True))
    np.testing.assert_allclose(place["LeftHand"], [70, 50, 0], atol=0.01)
    np.testing.assert_allclose(place["RightFoot"], [-10, -80, 0], atol=0.01)


def test_every_leaf_has_an_end_and_every_joint_its_channels(tmp_path):
    parsed = parse(write_bvh(dancer(3), tmp_path / "d.bvh")[0])
    leaves = set(range(len(parsed.names))) - set(parsed.parents)
    assert parsed.num_ends == len(leaves)
    assert parsed.channels.shape == (3, 3 + 3 * len(parsed.names))
    assert len(set(parsed.names)) == len(parsed.names)
    bare = [replace_hands(seen) for seen in dancer(3)]
    assert not any("Thumb" in name for name in parse(write_bvh(bare, tmp_path / "b.bvh")[0]).names)


def replace_hands(seen: Observation) -> Observation:
    return replace(seen, people=(replace(seen[0], left_hand_world=None, right_hand_world=None),))


def test_the_frame_time_is_the_real_one(tmp_path):
    for given, step in ((dancer(10, rate=60), 1 / 60), (dancer(1), 1 / 30)):
        (path,) = write_bvh(given, tmp_path / f"{len(given)}.bvh")
        assert parse(path).frame_time == pytest.approx(step, abs=1e-9)


def test_uneven_frames_are_laid_on_an_even_clock(tmp_path):
    given = dancer(21)
    kept = [given[index] for index in (0, 1, 2, 3, 4, 5, 6, 13, 14, 15, 16, 17, 18, 19, 20)]
    even, uneven = (
        parse(write_bvh(seen, tmp_path / f"{len(seen)}.bvh")[0]).positions() for seen in (given, kept)
    )
    assert len(uneven) == len(even)
    there = [*range(7), *range(13, 21)]
    np.testing.assert_allclose(uneven[there], even[there], atol=0.5)
    np.testing.assert_allclose(uneven[7], uneven[6])
    np.testing.assert_allclose(uneven[12], uneven[13])


def test_hands_that_come_late_keep_their_first_turn_until_then(tmp_path):
    given = dancer(10)
    given[:4] = [replace_hands(seen) for seen in given[:4]]
    parsed = parse(write_bvh(given, tmp_path / "d.bvh")[0])
    fingers = [3 + 3 * index for index, name in enumerate(parsed.names) if "Index" in name]
    for column in fingers:
        turns = parsed.channels[:, column : column + 3]
        np.testing.assert_array_equal(turns[:4], np.repeat(turns[4:5], 4, axis=0))


def test_several_people_have_a_file_each(tmp_path):
    given = [observation(0, person(0, 0), person(3, 0)), observation(1, person(3, 1))]
    files = write_bvh(given, tmp_path / "d.bvh")
    assert [file.name for file in files] == ["d-person0.bvh", "d-person3.bvh"]
    assert [len(parse(file).channels) for file in files] == [1, 2]


def test_angles_have_no_jumps_of_a_full_turn(tmp_path):
    spinning = [
        replace(seen, people=(replace(seen[0], pose_world=_spun(seen[0].pose_world, index)),))
        for index, seen in enumerate(dancer(40))
    ]
    parsed = parse(write_bvh(spinning, tmp_path / "d.bvh")[0])
    assert np.abs(np.diff(parsed.channels[:, 3:6], axis=0)).max() < 90
    assert np.ptp(parsed.channels[:, 5]) > 400


def _spun(pose: np.ndarray, index: int) -> np.ndarray:
    return Rotation.from_euler("Y", 15 * index, degrees=True).apply(pose).astype(np.float32)
