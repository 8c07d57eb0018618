"""Landmarks as OpenPose writes them: a JSON file a frame with BODY_25, 70 points of the face and the hands.

Names and order: OpenPose's documentation, "Output format" (doc/02_output.md), version 1.3 of the files.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError, RunError
from pomona.foundation.files import new_folder, to_json
from pomona.perceive.formats.wholebody import from_whole_body, whole_body
from pomona.perceive.holistic.record import HolisticRecord, Observation

BODY_25_NAMES = (
    *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist", "MidHip"),
    *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
    *("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel"),
)
_FROM_WHOLE_BODY = (
    *(0, -1, 6, 8, 10, 5, 7, 9, -1, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3),
    *(17, 18, 19, 20, 21, 22),
)
_MIDDLES = {1: (2, 5), 8: (9, 12)}  # neck between the shoulders, middle of the hips
_PUPILS = (468, 473)  # the person's right, then left, as points 68 and 69 of the face
_FILE_NAME = re.compile(r"(?:.*_)?(\d+)_keypoints\.json")


def write_openpose(observations: Iterable[Observation], folder: str | Path) -> list[Path]:
    """Writes FRAME_keypoints.json for each frame into a new folder; returns the files.

    Points are x, y in pixels and confidence; three zeros where there is none. `person_id` is the person's
    number. Each file also has `frame`, `time_s`, `width` and `height`, which other readers pass over. A
    folder of such files is replaced, one that holds other things is not touched.
    """
    folder = Path(folder)
    if folder.exists() and not (
        folder.is_dir() and all(_FILE_NAME.fullmatch(file.name) for file in folder.iterdir())
    ):
        raise RunError(f"{folder} holds other files than OpenPose's: choose a new folder")
    names = []
    with new_folder(folder) as temporary:
        for observation in observations:
            names.append(f"{observation.frame:012d}_keypoints.json")
            content = {
                "version": 1.3,
                "people": [_person(record) for record in observation],
                "frame": observation.frame,
                "time_s": observation.time_s,
                "width": observation.width,
                "height": observation.height,
            }
            (temporary / names[-1]).write_text(to_json(content) + "\n", encoding="utf-8")
    return [folder / name for name in names]


def read_openpose(folder: str | Path) -> Iterator[Observation]:
    """The observations in a folder of OpenPose's JSON files, in the order of their frames.

    Landmarks that OpenPose has no point for are NaN. Files of others tell neither time nor size: the time is
    NaN then, width and height 0, and the frame's number is taken from the file's name. Raises DataError where
    there are no such files, and for one that is damaged.
    """
    folder = Path(folder)
    files = [(match, path) for path in folder.glob("*.json") if (match := _FILE_NAME.fullmatch(path.name))]
    if not files:
        raise DataError(f"there are no files like 000000000000_keypoints.json in {folder}")
    ordered = sorted((int(match[1]), path) for match, path in files)
    return (_observation(path, number) for number, path in ordered)


def _person(record: HolisticRecord) -> dict[str, Any]:
    points = whole_body(record).astype(float).round(3)
    body = points[list(_FROM_WHOLE_BODY)]
    for middle, (right, left) in _MIDDLES.items():
        body[middle, :2] = (body[right, :2] + body[left, :2]) / 2
        body[middle, 2] = min(body[right, 2], body[left, 2])
    pupils = np.full((2, 3), np.nan) if record.face is None else record.face[list(_PUPILS)][:, [0, 1, 3]]
    person = {
        "person_id": [record.person],
        "pose_keypoints_2d": _flat(body),
        "face_keypoints_2d": _flat(np.concatenate([points[23:91], pupils])),
        "hand_left_keypoints_2d": _flat(points[91:112]),
        "hand_right_keypoints_2d": _flat(points[112:133]),
    }
    return person | {f"{name}_keypoints_3d": [] for name in ("pose", "face", "hand_left", "hand_right")}


def _flat(points: Float[np.ndarray, "point 3"]) -> list[float]:
    known = np.isfinite(points[:, :1])
    return np.where(known, np.nan_to_num(points.astype(float).round(4)), 0.0).reshape(-1).tolist()


def _observation(path: Path, number: int) -> Observation:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        time_s = content.get("time_s")
        frame = {
            "frame": content.get("frame", number),
            "time_s": float("nan") if time_s is None else time_s,
            "width": content.get("width", 0),
            "height": content.get("height", 0),
        }
        people = tuple(_record(person, index, frame, path) for index, person in enumerate(content["people"]))
    except DataError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{path} is no file of OpenPose's ({error!r})") from error
    return Observation(**frame, people=people)


def _record(person: dict[str, Any], index: int, frame: dict[str, Any], path: Path) -> HolisticRecord:
    points = np.full((133, 3), np.nan, np.float32)
    body = _points(person, "pose", len(BODY_25_NAMES), path)
    for place, source in enumerate(_FROM_WHOLE_BODY):
        if source >= 0:
            points[source] = body[place]
    face = _points(person, "face", 70, path)
    points[23:91] = face[:68]
    points[91:112] = _points(person, "hand_left", 21, path)
    points[112:133] = _points(person, "hand_right", 21, path)
    arrays = from_whole_body(points)
    if "face" in arrays:
        arrays["face"][list(_PUPILS)] = np.column_stack([face[68:, :2], face[68:, 2:] * [np.nan, 1]])
    number = (person.get("person_id") or [-1])[0]
    fields: dict[str, Any] = frame | arrays
    return HolisticRecord(person=index if number < 0 else number, **fields)


def _points(person: dict[str, Any], name: str, count: int, path: Path) -> Float[np.ndarray, "point 3"]:
    given = person.get(f"{name}_keypoints_2d") or [0.0] * 3 * count
    if len(given) != 3 * count:
        raise DataError(f"{path}: {name}_keypoints_2d must be {3 * count} numbers, got {len(given)}")
    points = np.reshape(np.array(given, np.float32), (count, 3))
    points[(points == 0).all(axis=1)] = np.nan
    return points
