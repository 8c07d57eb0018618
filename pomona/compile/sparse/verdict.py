"""Which runtime a model gets: decided once on each machine by running both, and kept."""

import hashlib
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pomona.export.parity import difference
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import PomonaError
from pomona.foundation.files import read_json, write_json
from pomona.foundation.randomness import stream

VERSION = 2
"""Of what is kept: older verdicts are taken anew."""

TOLERANCE = 1e-3
"""Largest difference to ONNX Runtime's answer that is let through, relative to an output's largest value."""

SMALLEST = 1e-5
"""Differences up to this are let through whatever the output: a mask of noise may hold nothing larger."""

LEAST_SECONDS, LEAST_ROUNDS, MOST_ROUNDS = 0.4, 7, 400

MARGIN = 0.97
"""The native program has to take less than this part of ONNX Runtime's time: clocks are not exact."""


class Runs(Protocol):
    """What runs a batch."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Output → its array."""
        ...


@dataclass(frozen=True)
class Verdict:
    """Milliseconds an example of both runtimes, the least of many, and whether their answers are equal."""

    sparse_ms: float
    onnx_ms: float
    is_equal: bool

    @property
    def takes_sparse(self) -> bool:
        """Whether the native program answers as ONNX Runtime does, and no later."""
        return self.is_equal and self.sparse_ms <= MARGIN * self.onnx_ms

    @property
    def reason(self) -> str:
        """The verdict in words."""
        if not self.is_equal:
            return "the native program answers otherwise than ONNX Runtime"
        return f"{self.sparse_ms:.3g} ms natively, {self.onnx_ms:.3g} ms in ONNX Runtime"


def verdict(
    key: str, native: Runs, dense: Callable[[], Runs], example: Mapping[str, np.ndarray], *, threads: int
) -> Verdict:
    """The verdict that was kept under `key`, or a new one by running both on `example`, in turn.

    `example` is a batch of two, on which the answers are compared; one of them is timed. One thread is timed
    by the processor time it takes, which other work on the machine leaves alone, several by the clock.
    """
    path = cache_folder() / "sparse" / "verdicts" / f"{key}.json"
    kept = _kept(path)
    if kept is not None:
        return kept
    clock = time.thread_time if threads == 1 else time.perf_counter
    taken = measured(native, dense(), example, clock=clock)
    try:
        write_json(path, {"version": VERSION, **asdict(taken)})
    except (OSError, PomonaError):
        pass  # a cache that cannot be written costs time, nothing else
    return taken


def measured(
    native: Runs,
    dense: Runs,
    example: Mapping[str, np.ndarray],
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Verdict:
    """Both run in turn, so that a busy moment meets both."""
    one = {name: array[:1] for name, array in example.items()}
    is_equal = _is_equal(dense, native, example)
    best = [np.inf, np.inf]
    start = time.perf_counter()
    for index in range(MOST_ROUNDS):
        for place, runs in enumerate((native, dense)):
            before = clock()
            runs.run(one)
            best[place] = min(best[place], clock() - before)
        if index >= LEAST_ROUNDS and time.perf_counter() - start > LEAST_SECONDS:
            break
    return Verdict(best[0] * 1e3, best[1] * 1e3, is_equal)


def example_batch(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Two random examples of inputs whose shapes have a batch axis."""
    return {
        name: stream(0, "sparse example", name).random((2, *shape[1:]), np.float32)
        for name, shape in shapes.items()
    }


def verdict_key(model: bytes | Path, *facts: object) -> str:
    """A name for a model's verdict: a hash of its bytes and of all else that decides how fast it runs."""
    if isinstance(model, bytes):
        digest = hashlib.sha256(model)
    else:
        with open(model, "rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    digest.update(repr((VERSION, *facts)).encode())
    return digest.hexdigest()[:32]


def machine_name() -> str:
    """The processor as the system names it, and how many cores it shows."""
    cores = os.cpu_count()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor()
    return f"{platform.machine()} {model} {cores}"


def _is_equal(dense: Runs, native: Runs, example: Mapping[str, np.ndarray]) -> bool:
    try:
        wanted = dense.run(example)
    except PomonaError:  # a batch of one is all that it takes
        example = {name: array[:1] for name, array in example.items()}
        wanted = dense.run(example)
    got = native.run(example)
    return all(_is_like(array, got[name]) for name, array in wanted.items())


def _is_like(wanted: np.ndarray, got: np.ndarray) -> bool:
    if wanted.shape == got.shape and np.allclose(wanted, got, rtol=0, atol=SMALLEST, equal_nan=True):
        return True
    return difference(wanted, got) <= TOLERANCE


def _kept(path: Path) -> Verdict | None:
    try:
        plain = read_json(path)
        if plain.pop("version") == VERSION:
            return Verdict(**plain)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        pass
    return None
