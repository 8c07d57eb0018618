"""Sparsity spread over layers by measured time: as fast as a uniform one, with less of the weights lost."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from pomona.compile.pruning.layers import Layer
from pomona.compile.sparse.session import SparseSession
from pomona.export.latency import latency
from pomona.export.sessions.onnx import OnnxSession
from pomona.export.sessions.session import Session
from pomona.foundation.errors import PomonaError
from pomona.foundation.randomness import stream

LEVELS = tuple(np.round(np.arange(0.0, 0.99, 0.02), 2).tolist())
"""Sparsities that a layer may get; the uniform one is added."""

TIMED = (0.5, 0.7, 0.8, 0.9, 0.98)
"""Sparsities at which 1 × 1 convolutions are timed; between them times are taken to be straight lines."""


def as_fast_as_uniform(
    layers: Sequence[Layer],
    energies: Mapping[str, Float[np.ndarray, "..."]],
    layer_time: Callable[[Layer, float], float],
    sparsity: float,
) -> dict[str, float]:
    """The shares to keep with which all layers together take no longer than at a uniform `sparsity`.

    Among them those that lose least, where a layer loses the share of its squared weights (`energies`) that
    its smallest entries hold.
    """
    levels = sorted({*LEVELS, sparsity})
    times = np.array([[layer_time(layer, level) for level in levels] for layer in layers])
    losses = np.array([_losses(energies[layer.name], levels) for layer in layers])
    budget = float(times[:, levels.index(sparsity)].sum())
    picked = cheapest_within(times, losses, budget, start=np.full(len(layers), levels.index(sparsity)))
    return {layer.name: 1 - levels[level] for layer, level in zip(layers, picked, strict=True)}


def cheapest_within(
    times: Float[np.ndarray, "layer level"],
    losses: Float[np.ndarray, "layer level"],
    budget: float,
    *,
    start: Int[np.ndarray, " layer"],
) -> Int[np.ndarray, " layer"]:
    """A level for each layer, the times of all together within the budget and the losses small.

    `start` is within the budget. Bisection on the price of time gives the best choice for some budget just
    below; single layers are then moved while that helps. Never worse than `start`.
    """
    low, high = 0.0, 1.0
    while times[_rows(times), _at_price(times, losses, high)].sum() > budget and high < 1e12:
        high *= 4
    for _ in range(80):
        middle = (low + high) / 2
        picked = _at_price(times, losses, middle)
        low, high = (low, middle) if times[_rows(times), picked].sum() <= budget else (middle, high)
    found = [_improved(times, losses, budget, one) for one in (_at_price(times, losses, high), start)]
    within = [one for one in found if times[_rows(times), one].sum() <= budget * (1 + 1e-12)]
    return min(within, key=lambda one: losses[_rows(times), one].sum())


def measured_times(layers: Sequence[Layer]) -> Callable[[Layer, float], float]:
    """Layer and sparsity → microseconds for one example on one thread of this machine.

    1 × 1 convolutions are timed in the sparse runtime at a few sparsities, and never cost more than dense.
    For other layers, and without that runtime, it is the dense time in ONNX Runtime times the share that is
    left: a model, which favours none of them.
    """
    dense: dict[Work, float] = {}
    sparse: dict[Work, list[float] | None] = {}
    for layer in layers:
        work = _work(layer)
        if work not in dense:
            dense[work] = _microseconds(OnnxSession(_product(work, 0.0)), work)
            sparse[work] = _sparse_times(work, dense[work]) if layer.kind == "pointwise" else None

    def layer_time(layer: Layer, sparsity: float) -> float:
        full, timed = dense[_work(layer)], sparse[_work(layer)]
        if timed is None:
            return full * (1 - sparsity)
        return float(np.interp(sparsity, (0.0, *TIMED), (full, *timed)))

    return layer_time


Work = tuple[int, int, int]
"""Outputs, inputs, and how often each weight is multiplied: what decides a layer's time."""


def _work(layer: Layer) -> Work:
    return layer.shape[0], layer.size // layer.shape[0], max(layer.uses, 1)


def _sparse_times(work: Work, dense_us: float) -> list[float] | None:
    """Microseconds at the sparsities TIMED; None where the sparse runtime is not to be had."""
    least, found = dense_us, []
    for sparsity in TIMED:
        try:
            session = SparseSession(_product(work, sparsity), runtime="sparse")
        except PomonaError:
            return None
        least = min(least, _microseconds(session, work))
        found.append(least)
    return found


def _microseconds(session: Session, work: Work) -> float:
    example = {"x": np.ones((1, work[1], work[2], 1), np.float32)}
    return latency(session, example, seconds=0.02, num_blocks=3).median_ms * 1000


def _product(work: Work, sparsity: float) -> bytes:
    """An ONNX model of a 1 × 1 convolution with zeros at random."""
    from onnx import TensorProto, helper, numpy_helper

    generator = stream(0, "layer time", work)
    weight = generator.standard_normal((work[0], work[1], 1, 1)).astype(np.float32)
    weight[generator.random(weight.shape) < sparsity] = 0
    read = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, work[1], work[2], 1])
    made = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, work[0], work[2], 1])
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "layer", [read], [made], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


def _losses(energy: np.ndarray, levels: Sequence[float]) -> list[float]:
    ordered = np.concatenate([[0.0], np.cumsum(np.sort(energy.reshape(-1)))])
    total = ordered[-1] or 1.0
    return [float(ordered[round(level * energy.size)] / total) for level in levels]


def _at_price(times: np.ndarray, losses: np.ndarray, price: float) -> np.ndarray:
    """For every layer the level of the least loss plus time at a price."""
    return (losses + price * times / max(float(times.max()), 1e-30)).argmin(axis=1)


def _improved(times: np.ndarray, losses: np.ndarray, budget: float, picked: np.ndarray) -> np.ndarray:
    picked = picked.copy()
    while True:
        rows = _rows(times)
        spare = budget - times[rows, picked].sum()
        gain = losses[rows, picked][:, None] - losses
        gain[times - times[rows, picked][:, None] > spare] = 0.0
        layer, level = np.unravel_index(gain.argmax(), gain.shape)
        if gain[layer, level] <= 1e-12:
            return picked
        picked[layer] = level


def _rows(times: np.ndarray) -> np.ndarray:
    return np.arange(len(times))
