"""Landmarks as a COCO-WholeBody annotation file: 133 points a person, an image a frame."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from pomona.foundation.errors import DataError
from pomona.foundation.files import to_json
from pomona.perceive.formats.new_file import new_file
from pomona.perceive.formats.wholebody import BODY_NAMES, PARTS, from_whole_body, whole_body
from pomona.perceive.holistic.record import HolisticRecord, Observation

_KEYPOINTS = {
    "body": "keypoints",
    "foot": "foot_kpts",
    "face": "face_kpts",
    "lefthand": "lefthand_kpts",
    "righthand": "righthand_kpts",
}
_SKELETON = (
    *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9)),
    *((8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)),
)
_PERSON = {
    "supercategory": "person",
    "id": 1,
    "name": "person",
    "keypoints": list(BODY_NAMES),
    "skeleton": [list(edge) for edge in _SKELETON],
}
_INFO = {"description": "landmarks found by Pomona", "version": "1.0"}
_VISIBLE = 0.5


def write_coco(observations: Iterable[Observation], path: str | Path) -> list[Path]:
    """Writes a JSON file with images, annotations and categories; returns what it wrote.

    Every point is x, y and COCO's flag: 2 visible, 1 there but hidden (confidence below 0.5), 0 with
    x = y = 0 where nothing was found or the point lies outside the frame. Boxes are the tight ones around
    the points. Beside COCO's own fields an annotation has `score`, `keypoint_scores` (133) and `person`, an
    image `frame` and `time_s`. Images are named for their frame, 000000000012.jpg: rename them as yours are.
    """
    with new_file(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        images: list[dict[str, Any]] = []
        count = 0
        file.write(
            '{"info": {"description": "landmarks found by Pomona", "version": "1.0"},\n"annotations": ['
        )
        for observation in observations:
            images.append(_image(observation, len(images)))
            for person in observation:
                count += 1
                file.write("," * (count > 1) + "\n" + to_json(_annotation(person, count, images[-1]["id"])))
        file.write(f'],\n"categories": [{json.dumps(_PERSON)}],\n"images": {to_json(images)}}}\n')
    return [Path(path)]


def read_coco(path: str | Path) -> Iterator[Observation]:
    """The observations in a COCO-WholeBody file, in the order of its images; DataError for any other file.

    Landmarks that are not among the 133 points are NaN. Files of others have no times: those are NaN then.
    Crowds and other categories than 1 are passed over.
    """
    try:
        dataset = json.loads(Path(path).read_text(encoding="utf-8"))
        by_image: dict[Any, list[dict[str, Any]]] = {image["id"]: [] for image in dataset["images"]}
        for annotation in dataset["annotations"]:
            if annotation.get("category_id", 1) == 1 and not annotation.get("iscrowd"):
                by_image[annotation["image_id"]].append(annotation)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is no COCO file with images and annotations ({error!r})") from error
    return (
        _observation(image, index, by_image[image["id"]], Path(path))
        for index, image in enumerate(dataset["images"])
    )


def _image(observation: Observation, index: int) -> dict[str, Any]:
    return {
        "id": index + 1,
        "file_name": f"{observation.frame:012d}.jpg",
        "width": observation.width,
        "height": observation.height,
        "frame": observation.frame,
        "time_s": observation.time_s,
    }


def _annotation(record: HolisticRecord, number: int, image: int) -> dict[str, Any]:
    points = whole_body(record).astype(float)
    placed, confidence = points[:, :2].round(3), points[:, 2].round(4)
    size = np.array([record.width, record.height])
    inside: Bool[np.ndarray, " point"] = np.all((placed >= 0) & (placed < size), axis=1)  # false for NaN
    placed = np.where(inside[:, None], placed, 0)
    flags = np.where(inside, np.where(confidence < _VISIBLE, 1, 2), 0)
    box = _box(placed, inside)
    annotation = {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "person": record.person,
        "score": float(record.score),
        "bbox": box,
        "area": box[2] * box[3],
        "num_keypoints": int((flags[:17] > 0).sum()),
        "keypoint_scores": np.where(inside, np.nan_to_num(confidence), 0).tolist(),
    }
    for part, start, end in PARTS:
        pairs = zip(placed[start:end].tolist(), flags[start:end].tolist(), strict=True)
        annotation[_KEYPOINTS[part]] = [value for (x, y), flag in pairs for value in (x, y, flag)]
        if part != "body":
            annotation[f"{part}_valid"] = bool(inside[start:end].any())
        if part not in ("body", "foot"):
            annotation[f"{part}_box"] = _box(placed[start:end], inside[start:end])
    return annotation


def _box(points: Float[np.ndarray, "point 2"], labelled: Bool[np.ndarray, " point"]) -> list[float]:
    """x, y, width and height of the smallest box around the labelled points; zeros when there is none."""
    if not labelled.any():
        return [0.0, 0.0, 0.0, 0.0]
    low, high = points[labelled].min(axis=0), points[labelled].max(axis=0)
    return [*low.tolist(), *(high - low).round(3).tolist()]


def _observation(image: dict[str, Any], index: int, found: list[dict[str, Any]], path: Path) -> Observation:
    frame, time_s = image.get("frame", index), image.get("time_s")
    time_s = float("nan") if time_s is None else time_s
    width, height = image.get("width", 0), image.get("height", 0)
    people = tuple(
        HolisticRecord(
            person=annotation.get("person", number),
            frame=frame,
            time_s=time_s,
            width=width,
            height=height,
            score=annotation.get("score", 1.0),
            **from_whole_body(_points(annotation, path)),  # pyright: ignore[reportArgumentType]
        )
        for number, annotation in enumerate(found)
    )
    return Observation(frame, time_s, width, height, people)


def _points(annotation: dict[str, Any], path: Path) -> Float[np.ndarray, "133 3"]:
    points = np.zeros((PARTS[-1][2], 3), np.float32)
    for part, start, end in PARTS:
        given = annotation.get(_KEYPOINTS[part]) or [0] * 3 * (end - start)
        if len(given) != 3 * (end - start):
            raise DataError(
                f"{path}: {_KEYPOINTS[part]} of annotation {annotation.get('id')} must be "
                f"{3 * (end - start)} numbers, got {len(given)}"
            )
        points[start:end] = np.reshape(given, (-1, 3))
    unlabelled = points[:, 2] == 0
    points[:, 2] = annotation.get("keypoint_scores") or np.select(
        [points[:, 2] == 1, points[:, 2] == 2], [0.25, 1.0], points[:, 2]
    )
    points[unlabelled] = np.nan
    return points
