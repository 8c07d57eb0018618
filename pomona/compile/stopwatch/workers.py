"""Who carries queries to a system: the thread that makes the load, or several beside it."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from jaxtyping import Int
from numpy import ndarray

from pomona.compile.stopwatch.clock import Clock
from pomona.compile.stopwatch.timings import Recorder
from pomona.foundation.errors import PomonaError

Answer = Callable[[Int[ndarray, " sample"]], Any]


class Workers(Protocol):
    """Carries queries to a system, in the order in which they are submitted."""

    def submit(self, place: int, samples: Int[ndarray, " sample"], recorder: Recorder) -> None:
        """Sees to it that the query is answered; may return before that."""
        ...

    def wait(self) -> None:
        """Returns when all that was submitted is answered."""
        ...


class Inline:
    """One query at a time, in the thread that submits it: nothing is handed over, nothing waits for a lock.

    Queries that come meanwhile are sent later; their latency counts from their moment all the same.
    """

    def __init__(self, answer: Answer, clock: Clock):
        self._answer = answer
        self._clock = clock

    def submit(self, place: int, samples: Int[ndarray, " sample"], recorder: Recorder) -> None:
        """Answers the query."""
        failure = attempt(self._answer, samples)
        recorder.finish(place, self._clock.now(), failure)

    def wait(self) -> None:
        """Nothing is ever left."""


class Threads:
    """As many queries at a time as there are `answers`, each of which belongs to one thread.

    With `depth`, submitting waits while so many queries wait for a thread. Close it after use.
    """

    def __init__(self, answers: Sequence[Answer], clock: Clock, *, depth: int = 0):
        self._clock = clock
        self._waiting: queue.Queue[tuple[int, ndarray, Recorder] | None] = queue.Queue(depth)
        self._threads = [
            threading.Thread(target=self._work, args=(answer,), daemon=True, name=f"pomona bench {number}")
            for number, answer in enumerate(answers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, place: int, samples: Int[ndarray, " sample"], recorder: Recorder) -> None:
        """Leaves the query to the first thread that is free."""
        self._waiting.put((place, samples, recorder))

    def wait(self) -> None:
        """Returns when all that was submitted is answered."""
        self._waiting.join()

    def close(self) -> None:
        """Ends the threads; what still waits is dropped."""
        while True:
            try:
                self._waiting.get_nowait()
                self._waiting.task_done()
            except queue.Empty:
                break
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, answer: Answer) -> None:
        while (item := self._waiting.get()) is not None:
            place, samples, recorder = item
            if not recorder.is_over:
                failure = attempt(answer, samples)
                recorder.finish(place, self._clock.now(), failure)
            self._waiting.task_done()


def attempt(answer: Answer, samples: Int[ndarray, " sample"]) -> str | None:
    """Asks for an answer; None when there is one, else in one line what went wrong."""
    try:
        answer(samples)
    except PomonaError as error:
        return str(error)
    except Exception as error:  # a system is anyone's code
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return None
