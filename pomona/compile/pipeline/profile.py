"""How long parts of a chain take on one core of this machine, remembered on disk."""

import hashlib
import os
import platform
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.pipeline.part_session import PartSession
from pomona.compile.pipeline.traced import Traced
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import PomonaError
from pomona.foundation.files import read_json, write_json

SECONDS = 0.06
"""How long a part is called to have its time."""

MOST_CALLS = 200

FEWEST_CALLS = 5


class Profile:
    """Microseconds that ONNX Runtime computes for nodes start … end - 1, in one thread on one core.

    Processor time, so that who else uses the machine matters little. `num_measured` counts what was not
    remembered.
    """

    def __init__(self, traced: Traced, path: Path | None):
        self._traced = traced
        self._path = path
        self._known: dict[str, float] = _read(path)
        self.num_measured = 0

    def __call__(self, start: int, end: int) -> float:
        key = f"{start}:{end}"
        if key not in self._known:
            self._known[key] = self._measured(start, end)
            self.num_measured += 1
        return self._known[key]

    def save(self) -> None:
        """Keeps the times; where the cache cannot be written they are measured again the next time."""
        if self._path is None or not self.num_measured:
            return
        try:
            write_json(self._path, self._known)
        except PomonaError:
            pass

    def _measured(self, start: int, end: int) -> float:
        traced, chain = self._traced, self._traced.chain
        if not chain.part_gives(start, end):
            return 0.0
        session = PartSession(chain.part_model(start, end, traced.tensors))
        # aligned as in a ring
        inputs = {name: aligned(traced.values[name]) for name in session.inputs}
        outputs = {name: aligned(traced.values[name]) for name in session.outputs}
        return timed_us(session.bound(inputs, outputs))


def timed_us(call: Callable[[], Any], *, seconds: float = SECONDS) -> float:
    """Median processor time of a call in microseconds, after a warm-up, pinned to one core."""
    with pinned():
        call()
        times: list[float] = []
        deadline = time.perf_counter() + seconds
        while len(times) < FEWEST_CALLS or (time.perf_counter() < deadline and len(times) < MOST_CALLS):
            began = time.thread_time_ns()
            call()
            times.append((time.thread_time_ns() - began) / 1e3)
    return float(np.median(times))


@contextmanager
def pinned():
    """This thread on one of its cores, while the block lasts, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def aligned(array: np.ndarray) -> np.ndarray:
    """A contiguous copy that begins at a multiple of 64 bytes."""
    memory = np.empty(array.nbytes + 64, np.uint8)
    start = -memory.ctypes.data % 64
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def profile_path(model_sha256: str, traced: Traced) -> Path:
    """Where the times of this model, with these shapes, on this machine are kept."""
    shapes = [(name, traced.tensors[name].shape) for name in traced.chain.inputs]
    key = repr((model_sha256, shapes, machine()))
    return cache_folder() / "profiles" / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.json"


def machine() -> tuple[str, ...]:
    """What tells the times of one machine from those of another."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line for line in lines if line.startswith("model name")), platform.processor())
    return platform.node(), platform.machine(), model, _runtime_version()


def _runtime_version() -> str:
    from importlib import metadata

    return metadata.version("onnxruntime")


def _read(path: Path | None) -> dict[str, float]:
    try:
        return {} if path is None else dict(read_json(path))
    except (OSError, ValueError, TypeError):
        return {}
