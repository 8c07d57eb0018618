"""Where a method runs: its folder, seed, budget, progress, saved state and logged decisions.

A run folder holds run.json (what runs here and how far it is), decisions.jsonl, state/*.json, whatever the
method writes below it, and result.json once it is finished. The same command on an unfinished run goes on
where it was; on a finished one it finds the result; any other command is refused.
"""

import contextlib
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pomona.foundation.console import Console, Progress
from pomona.foundation.decisions import Decisions
from pomona.foundation.errors import Interrupted, SettingError
from pomona.foundation.files import read_json, write_json
from pomona.foundation.lock import lock_folder
from pomona.foundation.randomness import stream
from pomona.foundation.run_folder import (
    RESULT_FILE,
    RUN_FILE,
    claim_folder,
    run_header,
    seconds_spent,
)

T = TypeVar("T")


@dataclass
class Clock:
    """The time budget and the interrupt flag that a run and its children share."""

    seconds: float | None = None
    spent_before: float = 0.0
    started: float = field(default_factory=time.monotonic)
    interrupted: bool = False

    def spent(self) -> float:
        """Seconds of work so far, those of earlier processes included."""
        return self.spent_before + time.monotonic() - self.started


@dataclass
class Run:
    """One run. Make it with `open_run` or, for work that need not outlive the process, `temporary_run`."""

    folder: Path
    seed: int
    device: str
    threads: int
    console: Console
    decisions: Decisions
    clock: Clock
    scope: str = ""

    def generator(self, purpose: str, identity: object = "") -> np.random.Generator:
        """The random stream of (seed, purpose, identity); it depends on nothing else."""
        return stream(self.seed, purpose, identity)

    def progress(
        self, label: str, total: float | None, unit: str = ""
    ) -> contextlib.AbstractContextManager[Progress]:
        """A progress bar as a context manager; `.advance()` moves it."""
        return self.console.progress(label, total, unit)

    def should_stop(self) -> bool:
        """True once the user interrupted or the seconds are spent; cheap enough to ask every step."""
        return self.stop_reason is not None

    @property
    def stop_reason(self) -> str | None:
        """ "interrupt", "seconds" or None."""
        if self.clock.interrupted:
            return "interrupt"
        if self.clock.seconds is not None and self.clock.spent() >= self.clock.seconds:
            return "seconds"
        return None

    def check_interrupt(self) -> None:
        """Raises Interrupted when the user asked to stop; call it after saving state."""
        if self.clock.interrupted:
            raise Interrupted(f"interrupted; the same command goes on from here: {self.folder}")

    def path(self, *parts: str) -> Path:
        """A path inside the run's folder whose parent folder exists."""
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def save(self, name: str, state: Any) -> None:
        """Keeps plain data under a name, whole or not at all, and the time spent with it."""
        write_json(self.folder / "state" / f"{name}.json", {"state": state, "spent": self.clock.spent()})

    def restore(self, name: str) -> Any:
        """What `save` kept, or None."""
        path = self.folder / "state" / f"{name}.json"
        return read_json(path)["state"] if path.exists() else None

    def decide(self, kind: str, key: str, compute: Callable[[], T]) -> T:
        """What `compute` says the first time; the logged answer whenever it is asked again in this run.

        For decisions that hang on a clock or on who comes first. The answer must be plain data.
        """
        return self.decisions.decide(kind, f"{self.scope}{key}", compute)

    def child(self, name: str) -> "Run":
        """A run in the sub-folder `name` that shares the seed, budget, console and log of decisions."""
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        scope = f"{self.scope}{name}/"
        return Run(
            folder, self.seed, self.device, self.threads, self.console, self.decisions, self.clock, scope
        )

    @property
    def result(self) -> dict[str, Any] | None:
        """The result of a finished run, None for one that still has work to do."""
        path = self.folder / RESULT_FILE
        return read_json(path) if path.exists() else None

    def finish(self, result: Mapping[str, Any]) -> None:
        """Marks the run as finished; the same command prints `result` from now on."""
        write_json(self.folder / RESULT_FILE, result)
        header = read_json(self.folder / RUN_FILE)
        write_json(self.folder / RUN_FILE, {**header, "status": "finished", "seconds": self.clock.spent()})


@contextlib.contextmanager
def open_run(
    folder: Path,
    *,
    verb: str,
    subject: str,
    identity: Mapping[str, Any],
    seed: int = 0,
    seconds: float | None = None,
    device: str = "auto",
    threads: int | None = None,
    console: Console | None = None,
) -> Iterator[Run]:
    """The run in `folder`, new or gone on with, held by this process while the block lasts.

    `identity` is what makes two runs the same work: settings and the fingerprint of the data. Ctrl-C and
    SIGTERM set the interrupt flag, so that the method can save; a second one ends the process at once.
    Raises RunError when the folder belongs to another run, to something else, or to a live process.
    """
    if seconds is not None and not seconds > 0:
        raise SettingError(f"seconds must be positive, got {seconds}")
    folder = Path(folder)
    claim_folder(folder, run_header(verb, subject, seed, identity))
    with lock_folder(folder):
        clock = Clock(seconds, seconds_spent(folder))
        decisions = Decisions(folder / "decisions.jsonl")
        run = Run(
            folder, seed, device, threads or available_threads(), console or Console(), decisions, clock
        )
        with _interrupt_flag(clock):
            yield run


@contextlib.contextmanager
def temporary_run(
    *, seed: int = 0, device: str = "auto", threads: int | None = None, seconds: float | None = None
) -> Iterator[Run]:
    """A silent run in a temporary folder that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pomona-"))
    try:
        claim_folder(folder, run_header("temporary", "", seed, {}))
        decisions = Decisions(folder / "decisions.jsonl")
        count = threads or available_threads()
        yield Run(folder, seed, device, count, Console(quiet=True), decisions, Clock(seconds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def available_threads() -> int:
    """How many cores this process may use; POMONA_THREADS lowers it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("POMONA_THREADS", "")
    return max(1, min(cores, int(wanted))) if wanted.isdigit() else cores


@contextlib.contextmanager
def _interrupt_flag(clock: Clock) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask_to_stop(number: int, frame: Any) -> None:
        if clock.interrupted:
            raise KeyboardInterrupt
        clock.interrupted = True

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
