"""The points of COCO-WholeBody and OpenPose: that each is where its name says, and how it is flagged."""

import json
from pathlib import Path

import numpy as np
import pytest
from landmark_samples import HEIGHT, WIDTH, observation, person, two_dancers

from pomona.foundation.errors import DataError, RunError
from pomona.perceive.formats import read_coco, read_openpose, write_coco, write_openpose
from pomona.perceive.formats.openpose import BODY_25_NAMES
from pomona.perceive.formats.wholebody import (
    BODY_FROM_POSE,
    BODY_NAMES,
    FACE_FROM_MESH,
    FOOT_FROM_POSE,
    FOOT_NAMES,
    from_whole_body,
    whole_body,
)
from pomona.perceive.holistic.landmarks import FACE_CONTOURS, POSE_NAMES
from pomona.perceive.holistic.record import HolisticRecord


@pytest.fixture(scope="module")
def oracle_face():
    with np.load(Path(__file__).parents[1] / "oracles" / "mediapipe_drawing.npz") as arrays:
        return arrays["points_face"]


def test_body_and_feet_are_the_landmarks_of_their_names():
    assert [POSE_NAMES[index] for index in BODY_FROM_POSE] == list(BODY_NAMES)
    same = {"big_toe": "foot_index", "heel": "heel"}
    for index, name in zip(FOOT_FROM_POSE, FOOT_NAMES, strict=True):
        side, _, point = name.partition("_")
        assert index == -1 if point == "small_toe" else POSE_NAMES[index] == f"{side}_{same[point]}"


def test_the_68_points_of_the_face_lie_on_the_contours_that_they_mark():
    on = {name: {point for edge in edges for point in edge} for name, edges in FACE_CONTOURS.items()}
    points = np.array(FACE_FROM_MESH)
    assert set(points[:17]) <= on["oval"]
    assert set(points[17:22]) <= on["right_eyebrow"]
    assert set(points[22:27]) <= on["left_eyebrow"]
    assert set(points[36:42]) <= on["right_eye"]
    assert set(points[42:48]) <= on["left_eye"]
    assert set(points[48:]) <= on["lips"]


def test_the_68_points_mirror_each_other_as_those_of_300_w_do():
    mirror = _mesh_mirror()
    order = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    order += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    order += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    known = 0
    for point, opposite in enumerate(order):
        if FACE_FROM_MESH[point] in mirror:
            assert mirror[FACE_FROM_MESH[point]] == FACE_FROM_MESH[opposite]
            known += 1
    assert known >= 50


def test_a_face_that_the_mesh_was_found_on_has_its_68_points_in_order(oracle_face):
    face = oracle_face[list(FACE_FROM_MESH)]
    jaw, right_brow, left_brow, bridge = face[:17], face[17:22], face[22:27], face[27:31]
    for across in (jaw[2:15], right_brow, left_brow):
        assert (np.diff(across[:, 0]) > 0).all()
    assert (np.diff(bridge[:, 1]) > 0).all()
    assert jaw[:, 1].argmax() in (7, 8, 9)
    # the upper lid above the lower, the upper lip above the lower
    assert (face[[37, 38, 43, 44], 1] <= face[[41, 40, 47, 46], 1]).all()
    assert face[51, 1] < face[62, 1] <= face[66, 1] < face[57, 1]


def test_points_and_arrays_are_inverse_where_a_point_is_known():
    record = person(0, 0)
    points = whole_body(record)
    arrays = from_whole_body(points)
    again = whole_body(HolisticRecord(0, 0, 0.0, WIDTH, HEIGHT, **arrays))
    np.testing.assert_array_equal(points, again)
    assert np.isnan(points[[18, 21]]).all()  # small toes
    assert whole_body(HolisticRecord(0, 0, 0.0, WIDTH, HEIGHT)).shape == (133, 3)
    assert from_whole_body(np.full((133, 3), np.nan, np.float32)) == {}


def test_coco_flags_say_visible_hidden_and_not_there(tmp_path):
    pose = np.zeros((33, 5), np.float32)
    pose[:, :2], pose[:, 3:] = 100, 0.9
    pose[11, 3] = 0.2  # hidden
    pose[12, 4] = 0.2  # said not to be there
    pose[13, 0] = WIDTH + 5  # beyond the frame
    pose[14, :2] = (200, 150)
    record = HolisticRecord(4, 7, 0.25, WIDTH, HEIGHT, pose=pose, score=0.75)
    dataset = _json(write_coco([observation(7, record)], tmp_path / "c.json")[0])
    (annotation,) = dataset["annotations"]
    flags = dict(zip(BODY_NAMES, annotation["keypoints"][2::3], strict=True))
    assert (flags["left_shoulder"], flags["right_shoulder"], flags["left_elbow"]) == (1, 1, 0)
    assert flags["nose"] == 2
    assert annotation["num_keypoints"] == 16
    assert annotation["bbox"] == [100, 100, 100, 50]
    assert annotation["score"] == 0.75
    assert annotation["face_kpts"] == [0] * 204
    assert (annotation["face_valid"], annotation["foot_valid"]) == (False, True)
    assert annotation["face_box"] == [0, 0, 0, 0]
    assert len(annotation["lefthand_kpts"]) == len(annotation["righthand_kpts"]) == 63


def test_coco_ids_are_whole_and_every_frame_is_an_image(tmp_path):
    dataset = _json(write_coco(two_dancers(), tmp_path / "c.json")[0])
    assert [image["id"] for image in dataset["images"]] == [1, 2, 3, 4, 5]
    assert [image["frame"] for image in dataset["images"]] == [3, 4, 5, 8, 9]
    assert [annotation["image_id"] for annotation in dataset["annotations"]] == [1, 1, 2, 4, 4]
    assert [annotation["id"] for annotation in dataset["annotations"]] == [1, 2, 3, 4, 5]
    assert dataset["categories"][0]["keypoints"] == list(BODY_NAMES)


def test_annotations_of_others_are_read_without_scores_times_or_hands(tmp_path):
    keypoints = [10, 20, 2, 30, 40, 1] + [0] * 45
    people = [
        {"id": 1, "image_id": 9, "category_id": 1, "keypoints": keypoints},
        {"id": 2, "image_id": 9, "category_id": 1, "iscrowd": 1, "keypoints": keypoints},
        {"id": 3, "image_id": 9, "category_id": 5},
    ]
    content = {"images": [{"id": 9, "width": 64, "height": 48}], "annotations": people}
    (tmp_path / "c.json").write_text(json.dumps(content))
    (seen,) = read_coco(tmp_path / "c.json")
    assert np.isnan(seen.time_s)
    (record,) = seen
    np.testing.assert_allclose(record.pose[[0, 2]][:, [0, 1, 3]], [[10, 20, 1], [30, 40, 0.25]])
    assert np.isnan(record.pose[5]).all()
    assert (record.left_hand, record.face) == (None, None)


def test_wrong_annotations_are_named(tmp_path):
    content = {"images": [{"id": 9}], "annotations": [{"id": 7, "image_id": 9, "foot_kpts": [1, 2]}]}
    (tmp_path / "c.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="foot_kpts of annotation 7 must be 18 numbers, got 2"):
        list(read_coco(tmp_path / "c.json"))


def test_openpose_body_points_are_the_landmarks_of_their_names(tmp_path):
    record = person(0, 0)
    (file,) = write_openpose([observation(0, record)], tmp_path / "o")
    (found,) = _json(file)["people"]
    body = np.reshape(found["pose_keypoints_2d"], (25, 3))
    sides, parts = {"R": "right_", "L": "left_"}, {"bigtoe": "foot_index"}
    for place, name in enumerate(BODY_25_NAMES):
        if name in ("Neck", "MidHip"):
            pair = (11, 12) if name == "Neck" else (23, 24)
            np.testing.assert_allclose(body[place, :2], record.pose[list(pair), :2].mean(axis=0), atol=1e-3)
        elif "SmallToe" in name:
            assert (body[place] == 0).all()
        else:
            word = name[1:].lower() if name != "Nose" else "nose"
            full = sides.get(name[0], "") + parts.get(word, word)
            point = record.pose[POSE_NAMES.index(full)]
            np.testing.assert_allclose(body[place, :2], point[:2], atol=1e-3)
            np.testing.assert_allclose(body[place, 2], point[3:].min(), atol=1e-3)


def test_openpose_files_have_the_keys_and_lengths_of_version_1_3(tmp_path):
    files = write_openpose(two_dancers(), tmp_path / "o")
    assert [file.name for file in files[:2]] == ["000000000003_keypoints.json", "000000000004_keypoints.json"]
    content = _json(files[0])
    assert content["version"] == 1.3
    lengths = {"pose": 75, "face": 210, "hand_left": 63, "hand_right": 63}
    for found in content["people"]:
        for part, length in lengths.items():
            assert len(found[f"{part}_keypoints_2d"]) == length
            assert found[f"{part}_keypoints_3d"] == []
    assert _json(files[2])["people"] == []


def test_openpose_pupils_are_the_irises_of_the_person(tmp_path):
    record = person(0, 0)
    record.face[468:] = np.arange(40).reshape(10, 4)
    (file,) = write_openpose([observation(0, record)], tmp_path / "o")
    face = np.reshape(_json(file)["people"][0]["face_keypoints_2d"], (70, 3))
    np.testing.assert_array_equal(face[68:], [[0, 1, 3], [20, 21, 23]])
    (seen,) = read_openpose(tmp_path / "o")
    np.testing.assert_array_equal(seen[0].face[[468, 473], :2], [[0, 1], [20, 21]])


def test_files_of_openpose_itself_are_read(tmp_path):
    body = np.zeros((25, 3))
    body[4] = (12, 34, 0.5)
    found = {"person_id": [-1], "pose_keypoints_2d": body.reshape(-1).tolist(), "face_keypoints_2d": []}
    for frame in (11, 2):
        path = tmp_path / f"dance_{frame:012d}_keypoints.json"
        path.write_text(json.dumps({"version": 1.3, "people": [found]}))
    first, second = read_openpose(tmp_path)
    assert (first.frame, second.frame) == (2, 11)
    assert np.isnan(first.time_s)
    np.testing.assert_allclose(first[0].pose[16, [0, 1, 3]], [12, 34, 0.5])
    assert (first[0].person, first[0].face) == (0, None)


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="choose a new folder"):
        write_openpose(two_dancers(), tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def _mesh_mirror() -> dict[int, int]:
    """The opposite of each point on the contours, from their walks along both sides of the face."""
    pairs: list[tuple[int, int]] = []
    for part in ("eye", "eyebrow"):
        left, right = (
            [point for edge in FACE_CONTOURS[f"{side}_{part}"] for point in edge]
            for side in ("left", "right")
        )
        pairs += zip(left, right, strict=True)
    for start in (0, 10, 20, 30):
        walk = [point for edge in FACE_CONTOURS["lips"][start : start + 10] for point in edge]
        pairs += zip(walk, walk[::-1], strict=True)
    oval = [point for edge in FACE_CONTOURS["oval"] for point in edge]
    pairs += zip(oval, oval[::-1], strict=True)
    return dict(pairs) | {second: first for first, second in pairs}


def _json(path) -> dict:
    return json.loads(path.read_text())
