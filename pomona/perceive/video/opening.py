"""Opening whatever shows people: told apart by what it is, not by what it is called."""

import stat
from pathlib import Path

from pomona.foundation.errors import DataError
from pomona.perceive.video.array import array_reel
from pomona.perceive.video.camera import camera_number, camera_reel
from pomona.perceive.video.folder import folder_reel, is_called_picture
from pomona.perceive.video.frame import Reel, legible
from pomona.perceive.video.picture import open_picture
from pomona.perceive.video.picture_reel import picture_reel
from pomona.perceive.video.source import FrameSource
from pomona.perceive.video.standard_input import pipe_reel, standard_input_reel
from pomona.perceive.video.video_file import video_reel


def open_frames(source: str | Path, *, every: int = 1, start: int = 0) -> FrameSource:
    """The frames of a picture, a video, a folder of pictures, a camera or standard input, RGB and upright.

    source      what it is
    file        a picture (as Pillow reads them), an animation, a video (as FFmpeg reads them), .npy or .npz
    folder      its pictures in natural order; those that cannot be read are left out and named
    camera      the first camera; camera:1 the second, or /dev/video1
    -           a picture or video on standard input

    Of the frames from `start` on, each `every`-th is given, under its index in the source; the others are not
    converted. Raises DataError when there is nothing to read.
    """
    reel = _reel(source)
    return FrameSource(reel, every=every, start=start)


def _reel(source: str | Path) -> Reel:
    number = camera_number(str(source))
    if number is not None:
        return camera_reel(number)
    if str(source) == "-":
        return standard_input_reel()
    path = Path(source).expanduser()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"cannot read {source} ({reason}); give a picture, video or folder, camera, or - for a pipe"
        ) from error
    if stat.S_ISDIR(mode):
        return folder_reel(path)
    if not stat.S_ISREG(mode):
        return _special(path)
    return _file_reel(path)


def _special(path: Path) -> Reel:
    try:
        return pipe_reel(path.open("rb"), legible(str(path)))
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _file_reel(path: Path) -> Reel:
    name = legible(path.name)
    if path.stat().st_size == 0:
        raise DataError(f"{name} is empty: 0 bytes")
    if path.suffix.lower() in (".npy", ".npz"):
        return array_reel(path, name)
    picture = open_picture(path, name)
    if picture is not None:
        return picture_reel(picture, name)
    if is_called_picture(path):
        raise DataError(f"{name} cannot be read as a picture: it is damaged, or not what it is called")
    if path.suffix.lower() in (".heic", ".heif"):
        raise DataError(f"{name} is a HEIC picture, which Pillow does not read: save it as JPEG or PNG")
    return video_reel(path, name)
