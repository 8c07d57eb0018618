"""Blocks of layers, as people cut models: equal work, forward and backward of a layer together."""

import numpy as np
from jaxtyping import Float64, Int32, Int64

from pomona.compile.placement.baselines.finish import finished
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.problem import Problem


def human_style(problem: Problem, generator: np.random.Generator) -> Plan:
    """Layers in the order in which the program first uses their weights, one block of them a device."""
    layer = depth(problem)
    work = np.bincount(layer, problem.run_us.mean(axis=0))
    return finished(problem, [blocks(work, problem.num_devices)[layer]])


def blocks(work: Float64[np.ndarray, " layer"], num_blocks: int) -> Int32[np.ndarray, " layer"]:
    """The block of each layer: at most `num_blocks` in a row, the largest as small as it can be."""
    least, most = float(work.max()), float(work.sum())
    for _ in range(50):
        limit = (least + most) / 2
        if _filled(work, limit)[-1] < num_blocks:
            most = limit
        else:
            least = limit
    return _filled(work, most)


def depth(problem: Problem) -> Int64[np.ndarray, " node"]:
    """The layer that each node belongs to, as the number of its weight by first use.

    Before the loss a node is as deep as its deepest source; from the loss on as its shallowest, so that the
    gradient of a layer, made from the gradient above it and that layer's own outputs, is at that layer.
    """
    graph, sources = problem.graph, problem.sources_of
    is_weight = graph.is_stored & np.array([name == "parameter" for name in graph.op_names])[graph.op]
    is_loss = np.array([name.startswith("loss") for name in graph.op_names])[graph.op]
    deepest = np.full(graph.num_nodes, -1, np.int64)
    is_after = is_loss.copy()
    num_layers = 0
    of_weight = np.full(graph.num_nodes, -1, np.int64)
    for node in range(graph.num_nodes):
        feeds = sources.of(node)
        for weight in feeds[is_weight[feeds] & (of_weight[feeds] < 0)]:
            of_weight[weight] = num_layers
            num_layers += 1
        made = feeds[~graph.is_stored[feeds]]
        is_after[node] |= bool(is_after[made].any())
        own = of_weight[feeds[is_weight[feeds]]]
        known = deepest[made][deepest[made] >= 0]
        if len(own):
            deepest[node] = own.max()
        elif len(known):
            deepest[node] = known.min() if is_after[node] else known.max()
    return _with_first_reader(problem, np.maximum(deepest, of_weight))


def _with_first_reader(problem: Problem, layer: Int64[np.ndarray, " node"]) -> Int64[np.ndarray, " node"]:
    # what comes from no layer, such as random numbers, belongs to the layer that reads it first
    for node in np.flatnonzero(layer < 0)[::-1].tolist():
        readers = problem.consumers_of.of(node)
        layer[node] = layer[readers[0]] if len(readers) else 0
    return np.maximum(layer, 0)


def _filled(work: np.ndarray, limit: float) -> Int32[np.ndarray, " layer"]:
    # layers in turn into the same block until it would be over the limit
    block, load, of = 0, 0.0, np.zeros(len(work), np.int32)
    for layer, one in enumerate(work.tolist()):
        if load + one > limit * (1 + 1e-12) and load > 0:
            block, load = block + 1, 0.0
        load += one
        of[layer] = block
    return of
