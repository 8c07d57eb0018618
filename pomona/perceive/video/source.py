"""A source of frames: whatever was opened, read ahead, with the damaged frames left out and named."""

from collections.abc import Generator, Iterator
from contextlib import closing

from pomona.foundation.errors import DataError, SettingError
from pomona.perceive.video.ahead import Ahead
from pomona.perceive.video.frame import Reel, VideoFrame

AHEAD = 4
"""Frames that wait decoded: enough to bridge a slow one, few enough for the memory of large ones."""


class FrameSource:
    """The frames of a reel, once, in order; a context manager. A thread decodes them ahead of use.

    Damaged frames are left out; `failed` has their index and what is wrong. Of a camera only the newest
    frames are kept, and `dropped` counts the others. `total` is what the container promises, None for what
    has no known end.
    """

    def __init__(self, reel: Reel, *, every: int = 1, start: int = 0):
        if every < 1 or start < 0:
            raise SettingError(f"every must be at least 1 and start at least 0, got {every} and {start}")
        self.kind = reel.kind
        self.name = reel.name
        self.rate = reel.rate
        self.width = reel.width
        self.height = reel.height
        self.is_live = reel.is_live
        self.remarks = reel.remarks
        self.total = None if reel.total is None else len(range(start, reel.total, every))
        self.failed: list[tuple[int, str]] = []
        self._reel = reel
        self._every = every
        self._start = start
        self._ahead: Ahead[VideoFrame] | None = None

    @property
    def dropped(self) -> int:
        """Frames of a live source that came while earlier ones were worked on."""
        return 0 if self._ahead is None else self._ahead.dropped

    def __iter__(self) -> Iterator[VideoFrame]:
        if self._ahead is None:
            # a pipe can wait for its reader, a camera cannot
            is_camera = self.kind == "camera"
            self._ahead = Ahead(self._frames(), depth=1 if is_camera else AHEAD, newest=is_camera)
        return self._ahead

    def close(self) -> None:
        """Stops reading and closes the file or the camera."""
        if self._ahead is None:
            self._reel.shots.close()
        else:
            self._ahead.close()

    def __enter__(self) -> "FrameSource":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _frames(self) -> Generator[VideoFrame]:
        with closing(self._reel.shots) as shots:
            for shot in shots:
                if shot.index < self._start or (shot.index - self._start) % self._every:
                    continue
                try:
                    image = shot.image()
                except DataError as error:
                    self.failed.append((shot.index, str(error)))
                    continue
                yield VideoFrame(shot.index, shot.time_s, image, shot.name)
