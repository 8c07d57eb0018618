"""How long each stage takes, over any number of frames in a fixed amount of memory."""

import math
from dataclasses import dataclass

BUCKETS_PER_OCTAVE = 32


@dataclass(frozen=True)
class StageTimes:
    """The durations of one stage, failed runs included. Percentiles are right to 1.1 %, the rest is exact."""

    count: int
    errors: int
    median_ms: float  # NaN while count is 0, and so are p95_ms and max_ms
    p95_ms: float
    max_ms: float
    total_ms: float


class Stopwatch:
    """Collects durations into buckets whose bounds grow by 2 % each: a histogram of constant size."""

    def __init__(self) -> None:
        self.total_ms = 0.0
        self._buckets: dict[int, int] = {}
        self._count = 0
        self._errors = 0
        self._max_ms = math.nan

    def add(self, duration_ms: float, *, is_error: bool = False) -> None:
        """Counts one run of the stage."""
        bucket = math.floor(BUCKETS_PER_OCTAVE * math.log2(max(duration_ms, 1e-6)))
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self._max_ms = duration_ms if self._count == 0 else max(self._max_ms, duration_ms)
        self._count += 1
        self._errors += is_error
        self.total_ms += duration_ms

    def times(self) -> StageTimes:
        """What was collected so far."""
        return StageTimes(
            count=self._count,
            errors=self._errors,
            median_ms=self._percentile(0.5),
            p95_ms=self._percentile(0.95),
            max_ms=self._max_ms,
            total_ms=self.total_ms,
        )

    def _percentile(self, share: float) -> float:
        # the middle, by ratio, of the bucket that holds the run of this rank
        rank, seen = math.ceil(share * self._count), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return 2 ** ((bucket + 0.5) / BUCKETS_PER_OCTAVE)
        return math.nan


class Flow:
    """How many frames wait or are worked on, and how many were dropped for newer ones."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begins to count anew."""
        self.depth = 0
        self.max_depth = 0
        self.drops = 0

    def hold(self, num_frames: int) -> None:
        """Notes that this many frames are now taken in and not given back."""
        self.depth = num_frames
        self.max_depth = max(self.max_depth, num_frames)
