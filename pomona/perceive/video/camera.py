"""The frames of a camera on this machine, through OpenCV (PyAV's wheels know no cameras on Linux)."""

import sys
import time
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from pomona.foundation.errors import DataError, MissingExtraError, SettingError
from pomona.perceive.video.frame import Image, Reel, Shot

SILENCE_S = 5.0
"""A camera that gives no frame for this long is gone."""


def camera_number(source: str) -> int | None:
    """1 for "camera:1" or "/dev/video1", 0 for "camera"; None for what names no camera."""
    if source == "camera":
        return 0
    for prefix in ("camera:", "/dev/video"):
        if source.startswith(prefix):
            if not source[len(prefix) :].isdecimal():
                raise SettingError(f"a camera is camera, camera:1, camera:2 …; got {source!r}")
            return int(source[len(prefix) :])
    return None


def camera_reel(number: int) -> Reel:
    """The reel of a camera; its times count from the first frame. Raises DataError when there is none."""
    try:
        import cv2
    except ImportError:
        raise MissingExtraError("opencv-python-headless", "perceive") from None

    name = "camera" if number == 0 else f"camera:{number}"
    absent = DataError(
        f"there is no {name} that can be used: connect one, close programs that hold it, or give a file"
    )
    # OpenCV prints a page of warnings for a device that is not there
    if sys.platform.startswith("linux") and not Path(f"/dev/video{number}").exists():
        raise absent
    device = cv2.VideoCapture(number)
    if not device.isOpened():
        device.release()
        raise absent
    remarks: list[str] = []
    return Reel(
        "camera",
        name,
        _shots(device, name, remarks),
        rate=device.get(cv2.CAP_PROP_FPS) or None,
        width=int(device.get(cv2.CAP_PROP_FRAME_WIDTH)) or None,
        height=int(device.get(cv2.CAP_PROP_FRAME_HEIGHT)) or None,
        is_live=True,
        remarks=remarks,
    )


def _shots(device: Any, name: str, remarks: list[str]) -> Generator[Shot]:
    index, first = 0, None
    heard = time.monotonic()
    try:
        while True:
            is_given, picture = device.read()
            now = time.monotonic()
            if not is_given:
                if now - heard < SILENCE_S:
                    time.sleep(0.01)
                    continue
                if first is None:
                    raise DataError(f"{name} gives no pictures: is another program using it?")
                remarks.append(
                    f"{name} gave no more pictures after {heard - first:.1f} s: it was disconnected"
                )
                return
            heard = now
            first = now if first is None else first
            yield Shot(index, now - first, partial(_rgb, picture))
            index += 1
    finally:
        device.release()


def _rgb(picture: Any) -> Image:
    import cv2

    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
