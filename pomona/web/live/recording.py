"""Recordings that clients make: Parquet files under names that nobody guesses."""

import re
import secrets
import shutil
import tempfile
import threading
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pomona.perceive.holistic.record import Observation

if TYPE_CHECKING:
    from pomona.perceive.formats import ParquetWriter

_KEY = re.compile(r"[\w-]{22}")


@dataclass(frozen=True)
class Recorded:
    """How a client's recording stands; `key` finds the file once it is finished."""

    on: bool
    frames: int
    key: str | None
    is_full: bool = False


class Recordings:
    """The folder of all clients' recordings; without one given, a temporary one that goes with the server."""

    def __init__(self, folder: Path | None, *, most: int):
        self.num_made = 0
        self.is_kept = folder is not None
        self._folder = folder
        self._most = most
        self._paths: dict[str, Path] = {}
        self._lock = threading.Lock()

    def start(self) -> "tuple[str, ParquetWriter]":
        """The key and the writer of a new recording. Raises RunError when its file cannot be written."""
        from pomona.perceive.formats import ParquetWriter

        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="pomona-live-"))
            self.num_made += 1
            path = self._folder / f"landmarks-{datetime.now():%Y%m%d-%H%M%S}-{self.num_made}.parquet"
            writer = ParquetWriter(path)
            key = secrets.token_urlsafe(16)
            self._paths[key] = path
            self._make_room()
        return key, writer

    def find(self, key: str) -> Path | None:
        """The finished file behind a key."""
        path = self._paths.get(key) if _KEY.fullmatch(key) else None
        return path if path is not None and path.exists() else None

    def close(self) -> None:
        """Removes the temporary folder."""
        if self._folder is not None and not self.is_kept:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _make_room(self) -> None:
        while len(self._paths) > self._most:
            oldest = self._paths.pop(next(iter(self._paths)))
            if not self.is_kept:
                oldest.unlink(missing_ok=True)


class Recorder:
    """Writes one client's observations while it is switched on. Belongs to one thread at a time."""

    def __init__(self, recordings: Recordings, *, most_frames: int):
        self.state = Recorded(on=False, frames=0, key=None)
        self._recordings = recordings
        self._most_frames = most_frames
        self._writer: ParquetWriter | None = None
        self._first_s = 0.0

    def switch(self, on: bool) -> None:
        """Starts a recording, or finishes the one under way."""
        if on and self._writer is None:
            key, self._writer = self._recordings.start()
            self.state = Recorded(on=True, frames=0, key=key)
        elif not on and self._writer is not None:
            writer, self._writer = self._writer, None
            self.state = replace(self.state, on=False, is_full=self.state.frames >= self._most_frames)
            writer.close()

    def write(self, observation: Observation) -> bool:
        """Adds one observation where a recording is on; True when that was its last frame.

        Frames count from 0, and time from the first of them.
        """
        if self._writer is None:
            return False
        frame = self.state.frames
        if frame == 0:
            self._first_s = observation.time_s
        time_s = observation.time_s - self._first_s
        people = tuple(replace(person, frame=frame, time_s=time_s) for person in observation)
        self._writer.write(replace(observation, frame=frame, time_s=time_s, people=people))
        self.state = replace(self.state, frames=frame + 1)
        if self.state.frames < self._most_frames:
            return False
        self.switch(False)
        return True
