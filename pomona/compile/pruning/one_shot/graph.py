"""Pruning an ONNX model layer by layer: each is fitted to what it reads behind those pruned before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pomona.compile.pruning.layers import chosen_layers
from pomona.compile.pruning.network import allocate
from pomona.compile.pruning.one_shot.calibration import Calibration
from pomona.compile.pruning.one_shot.found_layers import LARGEST_INPUTS, GraphLayer, graph_layers, names_of
from pomona.compile.pruning.one_shot.methods import METHODS, largest
from pomona.compile.pruning.one_shot.model import Model, batches_of
from pomona.compile.pruning.one_shot.moments import Moments
from pomona.compile.pruning.patterns import pattern_named
from pomona.compile.pruning.settings import PruneSettings
from pomona.compile.sparse.reading.graph import OnnxGraph
from pomona.foundation.run import Run


@dataclass(frozen=True, eq=False)
class PrunedGraph:
    """A model after pruning."""

    content: bytes
    """Of its ONNX file, with zeros in place."""
    layers: tuple[dict[str, Any], ...]
    """One row a layer that could have been pruned."""
    errors: Mapping[str, dict[str, float]]
    """Output → how far it is from the dense model's on inputs that were held out; see `output_errors`."""


def prune_graph(
    graph: OnnxGraph,
    calibration: Calibration,
    settings: PruneSettings,
    *,
    run: Run,
    sparsity: float | None = None,
) -> PrunedGraph:
    """The model with its 1 × 1 convolutions and products pruned at once, to `sparsity` or the settings' last.

    What is done is kept in the run's folder, layer by layer. Biases are moved so that the mean output stays.
    """
    sparsity = settings.sparsities()[-1] if sparsity is None else sparsity
    dense, sparse = Model(graph, threads=run.threads), Model(graph, threads=run.threads)
    layers = graph_layers(graph, _uses(dense, graph, calibration))
    chosen = chosen_layers(names_of(layers), settings.dense)
    weights = {one.layer.name: torch.from_numpy(one.weight) for one in layers}
    densities = allocate(weights, chosen, sparsity, settings)
    rows = []
    with run.progress(f"{sparsity:g}", len(densities), "layers") as progress:
        for one in layers:
            share = densities.get(one.layer.name)
            error = None
            if share is not None:
                weight, bias, error = _layer_done(
                    run, dense, sparse, one, calibration, settings, share, sparsity
                )
                sparse.replace(one, weight, bias)
                progress.advance()
                run.check_interrupt()
            rows.append(_row(one, weight if share is not None else one.weight, share, error))
    content = sparse.content()
    errors = output_errors(dense, sparse, calibration.held, calibration.batch_size)
    return PrunedGraph(content, tuple(rows), errors)


def pruned_layer(
    one: GraphLayer, moments: Moments, density: float, settings: PruneSettings
) -> tuple[np.ndarray, np.ndarray | None, float]:
    """Weight, bias and the share of the output's variance that is lost on the calibration inputs."""
    method = METHODS[settings.method] if one.weight.shape[1] <= LARGEST_INPUTS else largest
    pattern = pattern_named(settings.pattern)
    known = moments.centred() if one.takes_bias else moments
    weight = method(one.weight, known, density, pattern)
    bias = None
    if one.takes_bias:
        before = np.zeros(len(weight)) if one.bias is None else one.bias
        bias = before + one.weight @ moments.dense_mean - weight @ moments.pruned_mean
    return weight, bias, known.lost(one.weight, weight)


def output_errors(
    dense: Model, sparse: Model, inputs: Mapping[str, np.ndarray], batch_size: int
) -> dict[str, dict[str, float]]:
    """For every output the root mean square difference by the dense output's spread, and the largest.

    `same_class`, of outputs with one axis beside the batch: how often the largest entry is the same one.
    """
    ours, theirs = dense.session(), sparse.session()
    made = [(ours.run(batch), theirs.run(batch)) for batch in batches_of(inputs, batch_size)]
    errors = {}
    for name in made[0][0]:
        wanted = np.concatenate([one[name] for one, _ in made]).astype(np.float64)
        got = np.concatenate([other[name] for _, other in made]).astype(np.float64)
        # of a single example, or of outputs that never change, how much entries differ has to do
        spread = float(np.sqrt(((wanted - wanted.mean(axis=0)) ** 2).mean())) or float(wanted.std())
        apart = float(np.sqrt(((wanted - got) ** 2).mean()))
        errors[name] = {
            "relative": apart / spread if spread > 0 else apart,
            "largest": float(np.abs(wanted - got).max()),
            "spread": spread,
        }
        if wanted.ndim == 2 and wanted.shape[1] > 1:
            errors[name]["same_class"] = float((wanted.argmax(1) == got.argmax(1)).mean())
    return errors


def _layer_done(
    run: Run,
    dense: Model,
    sparse: Model,
    one: GraphLayer,
    calibration: Calibration,
    settings: PruneSettings,
    density: float,
    sparsity: float,
) -> tuple[np.ndarray, np.ndarray | None, float]:
    """The pruned layer, from the run's folder where it is there already."""
    from safetensors.numpy import load_file, save_file

    path = run.path("layers", f"{sparsity:g}-{one.node.position}.safetensors")
    if path.exists():
        kept = load_file(path)
        return kept["weight"], kept.get("bias"), float(kept["lost"][0])
    moments = layer_moments(dense, sparse, one, calibration)
    weight, bias, lost = pruned_layer(one, moments, density, settings)
    parts = {"weight": weight, "lost": np.array([lost])} | ({} if bias is None else {"bias": bias})
    new = path.with_suffix(".new")
    save_file(parts, new)
    new.replace(path)
    return weight, bias, lost


def layer_moments(dense: Model, sparse: Model, one: GraphLayer, calibration: Calibration) -> Moments:
    """The moments of a layer's inputs in both models."""
    is_input = one.reads in calibration.fitted
    sessions = [] if is_input else [model.session([one.reads]) for model in (dense, sparse)]
    total: Moments | None = None
    for batch in batches_of(calibration.fitted, calibration.batch_size):
        read = [next(iter(session.run(batch).values())) for session in sessions] or 2 * [batch[one.reads]]
        part = Moments.of(one.columns(read[0]), one.columns(read[1]))
        total = part if total is None else total + part
    assert total is not None
    return total


def _uses(model: Model, graph: OnnxGraph, calibration: Calibration) -> dict[str, int]:
    """How many columns each tensor that is not a constant has, for one example."""
    names = sorted({node.inputs[0] for node in graph.nodes if node.op in ("Conv", "Gemm", "MatMul")})
    asked = [name for name in names if any(name in node.outputs for node in graph.nodes)]
    batch = {name: array[:1] for name, array in calibration.fitted.items()}
    found = model.session(asked).run(batch) if asked else {}
    arrays = {**batch, **dict(zip(asked, found.values(), strict=True))}
    return {
        name: int(np.prod(array.shape[2:])) if array.ndim == 4 else int(np.prod(array.shape[1:-1]))
        for name, array in arrays.items()
    }


def _row(one: GraphLayer, weight: np.ndarray, share: float | None, lost: float | None) -> dict[str, Any]:
    return {
        "layer": one.layer.name,
        "kind": one.layer.kind,
        "shape": list(one.layer.shape),
        "uses": one.layer.uses,
        "weights": int(one.weight.size),
        "nonzero": int(np.count_nonzero(weight)),
        "pruned": share is not None,
        "why_dense": "" if share is not None else one.layer.why_dense or "by name",
        "lost": lost,
    }
