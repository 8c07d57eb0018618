"""How long a trained network takes for one example: in the sparse runtime, ONNX Runtime and LiteRT."""

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
    whatever the zeros; "chosen" what a session takes by itself. The two peers do not care for zeros.
    """
    batch = {name: image[None]}
    content = traced_onnx(module, batch)
    sparse, onnx = SparseSession(content, runtime="sparse"), OnnxSession(content)
    chosen = SparseSession(content)
    litert = PEERS["LiteRT"](in_litert(content), image, 1)
    runs: dict[str, Callable[[], object]] = {
        "sparse": lambda: sparse.run(batch),
        "chosen": lambda: chosen.run(batch),
        "onnx": lambda: onnx.run(batch),
        "litert": litert.run,
    }
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
    return dataclasses.replace(part.plan, steps=tuple(map(padded_after, part.plan.steps)))


def padded_after(step: Step) -> Step:
    """The step with one row of padding instead of two at stride 2: as much work, within a hundredth."""
    if step.settings.get("stride") != (2, 2) or step.settings.get("padding") != (1, 1, 1, 1):
        return step
    return dataclasses.replace(step, settings={**step.settings, "padding": (0, 0, 1, 1)})
