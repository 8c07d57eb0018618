"""What was seen of every query: when it should have been sent, when it was, and when it was answered."""

import threading
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int, Real

NS_IN_MS = 1e6

GIVES_UP_AFTER = 20
"""Failures in a row after which a system counts as dead."""


@dataclass(frozen=True)
class Timings:
    """The queries of one measurement, in the order in which they came; nanoseconds since its start."""

    scheduled: Int[np.ndarray, " query"]
    issued: Int[np.ndarray, " query"]
    done: Int[np.ndarray, " query"]
    failed: Bool[np.ndarray, " query"]
    samples_per_query: int = 1
    first_failure: str = ""
    has_died: bool = False
    """Whether the system failed so often in a row that the rest was not sent."""

    @property
    def num_queries(self) -> int:
        """How many were sent."""
        return len(self.done)

    @cached_property
    def latency_ns(self) -> Real[np.ndarray, " query"]:
        """From the scheduled moment to the answer: time spent waiting to be sent counts. inf if it failed."""
        return np.where(self.failed, np.inf, (self.done - self.scheduled).astype(np.float64))

    @cached_property
    def seconds(self) -> float:
        """From the start to the last answer."""
        return float(self.done.max(initial=0)) / 1e9

    @property
    def late_ns(self) -> Int[np.ndarray, " query"]:
        """How long after its moment each query was sent, because all workers were busy."""
        return self.issued - self.scheduled

    @property
    def samples_per_s(self) -> float:
        """Samples that were answered, by the seconds."""
        answered = self.num_queries - int(self.failed.sum())
        return answered * self.samples_per_query / self.seconds if self.seconds > 0 else 0.0

    def percentile_ms(self, share: float) -> float | None:
        """The smallest latency that the share of queries did not exceed; None when that one failed."""
        if not self.num_queries:
            return None
        value = float(np.quantile(self.latency_ns, share, method="inverted_cdf")) / NS_IN_MS
        return value if np.isfinite(value) else None

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it as arrays, for a file."""
        return {
            "scheduled": self.scheduled,
            "issued": self.issued,
            "done": self.done,
            "failed": self.failed,
            "samples_per_query": np.array(self.samples_per_query),
            "first_failure": np.array(self.first_failure),
            "has_died": np.array(self.has_died),
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray]) -> "Timings":
        """What `arrays` gave."""
        named = {name: arrays[name] for name in ("scheduled", "issued", "done", "failed")}
        count, failure = int(arrays["samples_per_query"]), str(arrays["first_failure"])
        return Timings(
            **named, samples_per_query=count, first_failure=failure, has_died=bool(arrays["has_died"])
        )


def joined(parts: list[Timings]) -> Timings:
    """The queries of several rounds one after the other, as if there were no pauses between them."""
    begins = np.concatenate([[0], np.cumsum([part.done.max(initial=0) for part in parts])]).astype(np.int64)
    moments = {
        name: np.concatenate(
            [getattr(part, name) + begin for part, begin in zip(parts, begins[:-1], strict=True)]
        )
        for name in ("scheduled", "issued", "done")
    }
    return Timings(
        **moments,
        failed=np.concatenate([part.failed for part in parts]),
        samples_per_query=parts[0].samples_per_query,
        first_failure=next((part.first_failure for part in parts if part.first_failure), ""),
        has_died=any(part.has_died for part in parts),
    )


class Recorder:
    """Takes down the moments of queries while they run, from any thread."""

    def __init__(self, start: int, *, bound_ns: float = np.inf, most_over: int | None = None):
        self.start = start
        self.num_finished = 0
        self.num_over = 0
        self.has_died = False
        self.is_hopeless = False
        """Whether more queries took too long than may, so that the outcome is known."""
        self.is_stopped = False
        """Whether whoever asked for the load wants no more of it."""
        self._bound_ns, self._most_over = bound_ns, most_over
        self._scheduled, self._issued, self._done = array("q"), array("q"), array("q")
        self._failed = bytearray()
        self._in_a_row = 0
        self._first_failure = ""
        self._lock = threading.Lock()

    def issue(self, scheduled: int, issued: int) -> int:
        """Takes down that a query is sent; returns its place."""
        self._scheduled.append(scheduled - self.start)
        self._issued.append(issued - self.start)
        self._done.append(-1)
        self._failed.append(1)
        return len(self._scheduled) - 1

    def finish(self, place: int, moment: int, failure: str | None) -> None:
        """Takes down the answer, or what went wrong."""
        with self._lock:
            self._done[place] = moment - self.start
            self._failed[place] = failure is not None
            self.num_finished += 1
            self._in_a_row = 0 if failure is None else self._in_a_row + 1
            self._first_failure = self._first_failure or failure or ""
            self.has_died = self.has_died or self._in_a_row >= GIVES_UP_AFTER
            late = failure is not None or self._done[place] - self._scheduled[place] > self._bound_ns
            self.num_over += late
            if self._most_over is not None and self.num_over > self._most_over:
                self.is_hopeless = True

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be sent, not even what waits."""
        return self.has_died or self.is_hopeless or self.is_stopped

    def timings(self, samples_per_query: int) -> Timings:
        """What was taken down of the queries that were answered or failed."""
        done = np.array(self._done, np.int64)
        kept = done >= 0
        return Timings(
            np.array(self._scheduled, np.int64)[kept],
            np.array(self._issued, np.int64)[kept],
            done[kept],
            np.frombuffer(bytes(self._failed), np.uint8).astype(bool)[kept],
            samples_per_query,
            self._first_failure,
            self.has_died,
        )
