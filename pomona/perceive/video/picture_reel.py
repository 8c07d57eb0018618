"""The reel of a picture file: one frame, or those of an animation (GIF, PNG or WebP)."""

from collections.abc import Generator
from typing import Any

from pomona.perceive.video.frame import Image, Reel, Shot, damaged
from pomona.perceive.video.picture import is_animation, pixels

UNTIMED_S = 0.1
"""How long browsers show a frame that has no duration."""


def picture_reel(picture: Any, name: str) -> Reel:
    """The reel of a Pillow image, which it closes. Raises DataError when a still picture is damaged."""
    if is_animation(picture):
        rate = 1 / _duration_s(picture)
        size = {"width": picture.width, "height": picture.height}
        return Reel("video", name, _animation(picture, name), total=picture.n_frames, rate=rate, **size)
    with picture:
        image = pixels(picture, name)
    height, width = image.shape[:2]
    return Reel("image", name, _still(image, name), total=1, width=width, height=height)


def _still(image: Image, name: str) -> Generator[Shot]:
    yield Shot(0, 0.0, lambda: image, name)


def _animation(picture: Any, name: str) -> Generator[Shot]:
    time_s = 0.0
    with picture:
        for index in range(picture.n_frames):
            label = f"frame {index} of {name}"
            try:
                picture.seek(index)
            except Exception as error:
                yield Shot(index, time_s, damaged(f"{label} is damaged: {error}"))
                return
            yield Shot(index, time_s, lambda label=label: pixels(picture, label))
            time_s += _duration_s(picture)


def _duration_s(picture: Any) -> float:
    return picture.info.get("duration", 0) / 1000 or UNTIMED_S
