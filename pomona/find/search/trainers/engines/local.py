"""Trainers as processes of this machine."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pomona.find.search.trainers.assignment import Assignment
from pomona.find.search.trainers.engines.started import Started, last_line
from pomona.fit.threads import thread_environment
from pomona.foundation.errors import SettingError
from pomona.foundation.files import to_json

PROGRAM = "pomona.find.search.trainers.process"


class LocalTrainer:
    """A process whose number of threads is set before it imports torch.

    It has a session of its own, so that Ctrl-C reaches it through the search alone, and ends when its
    standard input does: with the search, however that dies.
    """

    def __init__(self, assignment: Assignment, log: Path):
        self._log = log
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROGRAM],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=thread_environment(assignment.threads),
                start_new_session=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write((to_json(assignment.to_json()) + "\n").encode())
        self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        return last_line(self._log.read_text(errors="replace"))


def start_local(assignment: Assignment, told: Mapping[str, str | int | float]) -> Started:
    """A trainer as a process of its own on this machine."""
    if told:
        raise SettingError(f"the local engine has no options, got {', '.join(told)}")
    return LocalTrainer(assignment, assignment.place.folder / "trainers" / f"{assignment.name}.log")
