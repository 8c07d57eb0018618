"""How long the operations of captured torch graphs take on this machine, each distinct one timed alone."""

import hashlib
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.fx import Node, map_arg

from pomona.compile.pipeline.profile import timed_us
from pomona.compile.placement.capture.fx_graph import Captured, cost_of
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import PomonaError
from pomona.foundation.files import read_json, write_json

SECONDS = 0.03
"""How long an operation is called to have its time."""

LARGEST_BYTES = 2e9
"""Operations that move more are left out."""

SAVE_EVERY = 25

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Timing:
    """One operation with its shapes."""

    op: str
    flops: float
    traffic_bytes: float
    run_us: float


def time_operations(
    captured: Iterable[Captured], *, device: str = "cpu", on_progress: OnProgress | None = None
) -> list[Timing]:
    """A Timing for every distinct operation and shape of the graphs, in their order.

    On a processor it is the processor time of one thread on one core, on a GPU the time between two events.
    What was timed before on this machine comes from the cache; what cannot run alone is left out.
    `on_progress` is told how many of how many are done; after an interrupt the rest is timed the next time.
    """
    wanted = _distinct(captured)
    path = cache_folder() / "profiles" / f"operations-{_machine_key(device)}.json"
    known = _read(path)
    fresh = 0
    try:
        for number, (key, node) in enumerate(wanted.items()):
            if key not in known:
                run_us = _time_us(node, device)
                cost = cost_of(node)
                if cost is not None:
                    known[key] = asdict(Timing(cost.op, cost.flops, cost.traffic_bytes, run_us or -1.0))
                fresh += 1
                if fresh % SAVE_EVERY == 0:
                    _write(path, known)
            if on_progress is not None:
                on_progress(number + 1, len(wanted))
    finally:
        if fresh:
            _write(path, known)
    timings = [Timing(**known[key]) for key in wanted if key in known]
    return [timing for timing in timings if timing.run_us > 0]


def _distinct(captured: Iterable[Captured]) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for one in captured:
        for node in one.module.graph.nodes:
            cost = cost_of(node)
            if cost is not None and (cost.flops or cost.traffic_bytes) and cost.traffic_bytes < LARGEST_BYTES:
                nodes.setdefault(_key(node), node)
    return nodes


def _key(node: Node) -> str:
    """What tells operations apart: the operator, shapes, strides, types and numbers."""

    def plain(source: Node) -> Any:
        value = source.meta.get("val")
        values = value if isinstance(value, list | tuple) else [value]
        return _Described(
            tuple(
                (str(one.dtype), tuple(one.shape), one.stride())
                if isinstance(one, torch.Tensor)
                else str(one)
                for one in values
            )
        )

    text = repr((str(node.target), map_arg((node.args, dict(node.kwargs)), plain)))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class _Described:
    tensors: tuple[Any, ...]


def _time_us(node: Node, device: str) -> float | None:
    try:
        with torch.no_grad():
            args, kwargs = map_arg((node.args, dict(node.kwargs)), lambda source: _real(source, device))
            target: Any = node.target
            if device == "cpu":
                return timed_us(lambda: target(*args, **kwargs), seconds=SECONDS)
            return _timed_on_gpu_us(lambda: target(*args, **kwargs))
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
        # an operation that will not run on made-up numbers tells nothing
        return None


def _timed_on_gpu_us(call: Callable[[], Any]) -> float:
    call()
    torch.cuda.synchronize()
    started = time.perf_counter()
    times: list[float] = []
    while len(times) < 5 or (time.perf_counter() - started < SECONDS and len(times) < 200):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        call()
        ended.record()
        ended.synchronize()
        times.append(began.elapsed_time(ended) * 1e3)
    return sorted(times)[len(times) // 2]


def _real(source: Node, device: str) -> Any:
    value = source.meta.get("val")
    if isinstance(value, list | tuple):
        return type(value)(_tensor(one, device) for one in value)
    return _tensor(value, device)


def _tensor(value: Any, device: str) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    shape, stride = [int(size) for size in value.shape], [int(step) for step in value.stride()]
    made = torch.empty_strided(shape, stride, dtype=value.dtype, device=device)
    if value.is_floating_point():
        # positive, so that logarithms and roots stay numbers
        numbers = torch.rand(shape, generator=torch.Generator().manual_seed(0)) + 0.1
        # where axes are only broadcast many elements share a place, which copy_ refuses
        own = made[tuple(slice(None) if step else slice(0, 1) for step in stride)]
        own.copy_(numbers[tuple(slice(None) if step else slice(0, 1) for step in stride)])
        return made
    return made.zero_()


def _machine_key(device: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line for line in lines if line.startswith("model name")), platform.processor())
    where = torch.cuda.get_device_name(device) if device != "cpu" else model
    key = repr((platform.node(), platform.machine(), where, torch.__version__))
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return dict(read_json(path))
    except (OSError, ValueError, TypeError):
        return {}


def _write(path: Path, known: dict[str, dict[str, Any]]) -> None:
    try:
        write_json(path, known)
    except PomonaError:
        # timed again the next time
        pass
