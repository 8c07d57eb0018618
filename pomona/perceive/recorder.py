"""What is written while frames come: landmarks and video, in parts so that little is lost, and pictures."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pomona.foundation.errors import RunError
from pomona.perceive.draw import draw
from pomona.perceive.holistic.record import Observation
from pomona.perceive.video import VideoWriter, join_videos

Drawn = Literal["picture", "pictures", "video"]
"""One annotated.jpg, a folder of them, or annotated.mp4."""

JPEG_QUALITY = 92


class Recorder:
    """Writes into `folder`. A part is whole once `end_part` returns; `join` makes one file of all parts.

    A part that was not ended leaves nothing that `join` would see.
    """

    def __init__(
        self, folder: Path, *, drawn: Drawn | None, mask: bool, parts: Sequence[str], rate: float | None
    ):
        self._folder = folder
        self._drawn = drawn
        self._mask = mask
        self._parts = parts
        self._rate = rate
        self._landmarks: Any = None
        self._video: VideoWriter | None = None

    def write(self, observation: Observation, name: str, part: int) -> None:
        """Adds one frame; `name` is its file's, `part` the number of the part that it belongs to."""
        if self._landmarks is None:
            from pomona.perceive.formats.parquet import ParquetWriter

            self._landmarks = ParquetWriter(self._part(part, "parquet"))
        self._landmarks.write(observation)
        if self._drawn is not None:
            self._draw(observation, name, part)
        if self._mask:
            _save(self._folder / "masks" / f"{observation.frame:06d}.png", _everyone(observation))

    def end_part(self) -> bool:
        """Finishes the files of the part; False when it has none, because nothing was written."""
        if self._landmarks is None:
            return False
        if self._video is not None:
            self._video.close()
            self._video = None
        self._landmarks.close()
        self._landmarks = None
        return True

    def discard_part(self) -> None:
        """Gives up what the part has so far."""
        if self._landmarks is not None:
            self._landmarks.discard()
            self._landmarks = None
        if self._video is not None:
            self._video.discard()
            self._video = None

    def join(self, parts: Sequence[int]) -> None:
        """Makes landmarks.parquet and, where one was drawn, annotated.mp4."""
        tables = [self._part(part, "parquet") for part in parts]
        _join(tables, self._folder / "landmarks.parquet", _join_landmarks)
        videos = [path for part in parts if (path := self._part(part, "mp4")).exists()]
        if videos:
            _join(videos, self._folder / "annotated.mp4", join_videos)

    def remove_parts(self) -> None:
        """Removes what `join` has joined."""
        shutil.rmtree(self._folder / "parts", ignore_errors=True)

    @property
    def drawing(self) -> Path | None:
        """Where the drawings are."""
        if self._drawn is None:
            return None
        name = {"picture": "annotated.jpg", "pictures": "annotated", "video": "annotated.mp4"}[self._drawn]
        path = self._folder / name
        return path if path.exists() else None

    def _draw(self, observation: Observation, name: str, part: int) -> None:
        assert observation.image is not None
        image = draw(observation.image, observation, parts=self._parts)
        if self._drawn == "picture":
            _save(self._folder / "annotated.jpg", image)
        elif self._drawn == "pictures":
            _save(self._folder / "annotated" / f"{observation.frame:06d}-{Path(name).stem}.jpg", image)
        else:
            video = self._video or VideoWriter(self._part(part, "mp4"), self._rate, image.shape[1::-1])
            video.write(image, observation.time_s)
            self._video = video

    def _part(self, part: int, ending: str) -> Path:
        path = self._folder / "parts" / f"{part:05d}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _join(parts: Sequence[Path], whole: Path, join: Any) -> None:
    if len(parts) == 1:
        os.replace(parts[0], whole)
    else:
        join(parts, whole)


def _join_landmarks(parts: Sequence[Path], whole: Path) -> None:
    from pomona.perceive.formats.parquet import read_parquet, write_parquet

    write_parquet((observation for part in parts for observation in read_parquet(part)), whole)


def _everyone(observation: Observation) -> np.ndarray:
    everyone = np.zeros((observation.height, observation.width), np.uint8)
    for person in observation:
        if person.mask is not None:
            np.maximum(everyone, person.mask, out=everyone)
    return everyone


def _save(path: Path, image: np.ndarray) -> None:
    import cv2

    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
    _, encoded = cv2.imencode(path.suffix, image, options)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error
