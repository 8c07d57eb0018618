"""Frames that lie in an array: .npy, or the only array of an .npz."""

from collections.abc import Generator
from functools import partial
from pathlib import Path

import numpy as np

from pomona.foundation.errors import DataError
from pomona.perceive.video.frame import FRAMES_A_SECOND, Reel, Shot


def array_reel(path: Path, name: str) -> Reel:
    """The reel of an array of frames, uint8 with axes frame, height, width and RGB, or of one such frame."""
    frames = _load(path, name)
    if frames.ndim == 3 and frames.shape[-1] == 3:
        frames = frames[None]
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or 0 in frames.shape:
        raise DataError(
            f"{name} should hold uint8 frames, height by width by 3; got {frames.dtype} {frames.shape}"
        )
    num_frames, height, width = frames.shape[:3]
    return Reel(
        "array", name, _shots(frames), total=num_frames, rate=FRAMES_A_SECOND, width=width, height=height
    )


def _load(path: Path, name: str) -> np.ndarray:
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            if len(loaded.files) != 1:
                names = ", ".join(loaded.files) or "none"
                raise DataError(f"{name} should hold one array of frames, holds {names}")
            return loaded[loaded.files[0]]
    except (ValueError, OSError, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read as an array of frames: {error}") from error


def _shots(frames: np.ndarray) -> Generator[Shot]:
    for index in range(len(frames)):
        yield Shot(index, index / FRAMES_A_SECOND, partial(np.ascontiguousarray, frames[index]))
