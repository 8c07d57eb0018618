"""How long a trained network takes for one example: in the sparse runtime, ONNX Runtime and LiteRT."""

import contextlib
import dataclasses
import time
from collections.abc import Callable

import numpy as np
from torch import nn

from benchmarks.sparse_peers import PEERS
from pomona.compile import SparseSession
from pomona.compile.sparse.parts import NativePart, split
from pomona.compile.sparse.plan import Plan, Step
from pomona.compile.sparse.reading import read_graph, read_onnx
from pomona.compile.sparse.simplify import simplify
from pomona.export.exported_latency import traced_onnx
from pomona.export.sessions.onnx import OnnxSession

ROUNDS, CALLS = 25, 20


def microseconds(module: nn.Module, name: str, image: np.ndarray) -> dict[str, float]:
    """By runtime the least processor time of one thread, in turn, so that a busy moment meets all.

    `image` is the network's only input, called `name`, without a batch axis. "sparse" is the native program
    whatever the zeros; "chosen" what a session takes by itself. The two peers do not care for zeros, and
    LiteRT is left out where the network has what benchmarks/sparse_litert.py cannot write.
    """
    batch = {name: image[None]}
    content = traced_onnx(module, batch)
    sparse, onnx = SparseSession(content, runtime="sparse"), OnnxSession(content)
    chosen = SparseSession(content)
    runs: dict[str, Callable[[], object]] = {
        "sparse": lambda: sparse.run(batch),
        "chosen": lambda: chosen.run(batch),
        "onnx": lambda: onnx.run(batch),
    }
    with contextlib.suppress(NotImplementedError):
        runs["litert"] = PEERS["LiteRT"](in_litert(content), image, 1).run
    best = dict.fromkeys(runs, np.inf)
    for _ in range(ROUNDS):
        for runtime, run in runs.items():
            start = time.thread_time()
            for _ in range(CALLS):
                run()
            best[runtime] = min(best[runtime], (time.thread_time() - start) / CALLS)
    return {runtime: 1e6 * seconds for runtime, seconds in best.items()}


def in_litert(content: bytes) -> Plan:
    """The network as a plan with paddings that LiteRT has: it pads even images after them, not around."""
    graph = read_graph(content)
    (part,) = split(simplify(read_onnx(graph, {})), graph)
    assert isinstance(part, NativePart)
    return dataclasses.replace(
        part.plan, steps=tuple(padded_after(step, part.plan) for step in part.plan.steps)
    )


def padded_after(step: Step, plan: Plan) -> Step:
    """The step with one row of padding less before an even image at stride 2: nearly as much work."""
    padding = step.settings.get("padding")
    is_even = step.settings.get("stride") == (2, 2) and plan.shape(step.inputs[0])[1] % 2 == 0
    if not is_even or not isinstance(padding, tuple) or not padding[0] or len(set(padding)) > 1:
        return step
    (size,) = {int(side) for side in padding}
    return dataclasses.replace(step, settings={**step.settings, "padding": (size - 1, size - 1, size, size)})
