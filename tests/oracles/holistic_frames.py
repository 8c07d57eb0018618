"""The pictures that the recording of MediaPipe and the tests against it both look at, pixel for pixel.

Needs NumPy, Pillow and PyAV only, so that it runs in MediaPipe's environment as well as in ours.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CLIP_ASSET = "opencv-samples/messi5.jpg"
CLIP_FRAMES = 100
CLIP_HEIGHT, CLIP_WIDTH = 480, 640
UNIT = (
    1 << 10
)  # positions in the photo are whole multiples of 1/1024 px, so that no platform rounds differently


@dataclass(frozen=True)
class Still:
    """A photo, or one frame of a video, under the folder of assets."""

    name: str
    path: str
    frame: int | None = None


@dataclass(frozen=True)
class View:
    """A window on a photo, in whole pixels: its width and middle, and how far they swing to either side."""

    width: int
    zoom: int
    x: int
    y: int
    sway: int
    nod: int


MESSI = View(width=420, zoom=24, x=236, y=171, sway=12, nod=4)  # of messi5.jpg: pose, both hands and face
ASTRONAUT = View(width=440, zoom=24, x=240, y=190, sway=12, nod=8)  # of astronaut.png: no hands in the frame

STILLS = (
    Still("messi5", "opencv-samples/messi5.jpg"),
    Still("basketball1", "opencv-samples/basketball1.png"),
    Still("basketball2", "opencv-samples/basketball2.png"),
    Still("astronaut", "scikit-image-samples/astronaut.png"),
    Still("walk60", "sports2d-samples/demo.mp4", 60),
    Still("walk100", "sports2d-samples/demo.mp4", 100),
    Still("walk150", "sports2d-samples/demo.mp4", 150),
    Still("studio0", "pose2sim-samples/cam01.mp4", 0),
    Still("studio50", "pose2sim-samples/cam01.mp4", 50),
)

FACES = {  # x, y, side of a square in pixels
    "messi5": (240, 115, 55),
    "basketball1": (86, 115, 64),
    "basketball2": (87, 114, 61),
    "astronaut": (226, 123, 167),
}
"""Where the stills' faces are."""


def read_still(folder: Path, still: Still) -> np.ndarray:
    """The pixels, RGB uint8 (height, width, 3)."""
    if still.frame is None:
        return read_photo(folder / still.path)
    return next(video_frames(folder / still.path, start=still.frame))


def read_photo(path: Path) -> np.ndarray:
    """A photo's pixels, RGB uint8; orientation tags are not looked at."""
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def video_frames(path: Path, start: int = 0) -> Iterator[np.ndarray]:
    """The frames of a video from number `start` on, RGB uint8, decoded one after another."""
    import av

    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= start:
                yield frame.to_ndarray(format="rgb24")


def pan_and_zoom(photo: np.ndarray, frame: int, view: View = MESSI) -> np.ndarray:
    """Frame number `frame` of a camera that sways and zooms over the photo, 480 x 640.

    Zoom, sway and nod swing in 64, 40 and 28 frames. Bilinear, in whole numbers: the same pixels on every
    machine.
    """
    width = view.width * UNIT + view.zoom * swing(frame, 64)
    height = width * CLIP_HEIGHT // CLIP_WIDTH
    left = view.x * UNIT + view.sway * swing(frame, 40) - width // 2
    top = view.y * UNIT + view.nod * swing(frame, 28) - height // 2
    columns = left + (2 * np.arange(CLIP_WIDTH, dtype=np.int64) + 1) * width // (2 * CLIP_WIDTH) - UNIT // 2
    rows = top + (2 * np.arange(CLIP_HEIGHT, dtype=np.int64) + 1) * height // (2 * CLIP_HEIGHT) - UNIT // 2
    return bilinear(photo, rows, columns)


def square(photo: np.ndarray, x: int, y: int, side: int, size: int) -> np.ndarray:
    """A square of the photo, `side` wide about pixel (x, y), as size x size pixels; same on every machine."""
    places = (2 * np.arange(size, dtype=np.int64) + 1) * side * UNIT // (2 * size) - UNIT // 2
    half = side * UNIT // 2
    return bilinear(photo, y * UNIT - half + places, x * UNIT - half + places)


def swing(frame: int, period: int) -> int:
    """A wave of parabolas between -1024 and 1024 that rises through 0 at frame 0."""
    half = period // 2
    place = frame % half
    height = 4 * UNIT * place * (half - place) // (half * half)
    return height if frame % period < half else -height


def bilinear(photo: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The photo at the crossings of rows and columns (in 1/1024 px), its edge pixels repeated outside."""
    values = photo.astype(np.int64)
    for axis, places in ((0, rows), (1, columns)):
        last = values.shape[axis] - 1
        before = np.clip(places // UNIT, 0, last)
        after = np.clip(places // UNIT + 1, 0, last)
        shape = [1, 1, 1]
        shape[axis] = len(places)
        share = (places % UNIT).reshape(shape)
        values = np.take(values, before, axis) * (UNIT - share) + np.take(values, after, axis) * share
    return ((values + UNIT * UNIT // 2) // (UNIT * UNIT)).astype(np.uint8)


def digest(pixels: np.ndarray) -> str:
    """The SHA-256 of the pixels: where it differs from the recorded one, a decoder of pictures differs."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()
