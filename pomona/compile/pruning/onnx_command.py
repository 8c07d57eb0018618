"""`prune` of an ONNX or TFLite file: a finished model and calibration inputs in, a sparse ONNX file out."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.pruning.one_shot.calibration import calibration_of
from pomona.compile.pruning.one_shot.graph import PrunedGraph, prune_graph
from pomona.compile.pruning.one_shot.methods import METHODS
from pomona.compile.pruning.patterns import pattern_named
from pomona.compile.pruning.settings import PruneSettings
from pomona.compile.sparse.reading.graph import read_graph
from pomona.compile.tflite.convert import tflite_as_onnx
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.files import write_bytes
from pomona.foundation.report import line, number, numbers, series, table, write_report, write_section
from pomona.foundation.run import Run

MODEL = "model.onnx"


def prune_onnx_command(subject: str, settings: PruneSettings, *, options: CommandOptions) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    _check(settings)
    path = Path(subject)
    content: str | bytes = tflite_as_onnx(path) if path.suffix == ".tflite" else subject
    graph = read_graph(content)
    calibration = calibration_of(graph, settings, seed=options.seed)
    plain = {**asdict(settings), "calibration": calibration.fingerprint}
    identity = {"pruning": plain, "model": hashlib.sha256(path.read_bytes()).hexdigest()}
    dense_bytes = len(content) if isinstance(content, bytes) else path.stat().st_size

    def method(run: Run) -> dict[str, Any]:
        if calibration.is_random:
            run.console.line("layers are fitted to random numbers: real inputs make a better model")
        found = {
            sparsity: prune_graph(graph, calibration, settings, run=run, sparsity=sparsity)
            for sparsity in settings.sparsities()
        }
        return _result(path, dense_bytes, settings, found, run=run)

    return carry_out(method, verb="prune", subject=subject, identity=identity, options=options)


def _check(settings: PruneSettings) -> None:
    if settings.method not in METHODS:
        raise unknown_name("method of pruning an ONNX file", settings.method, METHODS)
    pattern = pattern_named(settings.pattern)
    if pattern.sparsity is not None and any(abs(s - pattern.sparsity) > 1e-6 for s in settings.sparsities()):
        raise SettingError(
            f"the pattern {settings.pattern} is a sparsity of {pattern.sparsity:.4g}: give --sparsity "
            f"{pattern.sparsity:.4g}"
        )
    for name in ("teacher", "student"):
        if getattr(settings, name):
            raise SettingError(f"an ONNX file is not trained: leave out --{name}")


def _result(
    subject: Path, dense_bytes: int, settings: PruneSettings, found: Mapping[float, PrunedGraph], *, run: Run
) -> dict[str, Any]:
    """What `--json` prints; writes the model and the sections."""
    last = [*found.values()][-1]
    write_bytes(run.folder / MODEL, last.content)
    _write_sections(run.folder, subject.name, settings, found)
    write_report(run.folder)
    weights = [array for array in read_graph(last.content).constants.values() if array.dtype.kind == "f"]
    return {
        "task": subject.stem,
        "kind": "onnx",
        "metric": "relative",
        "method": settings.method,
        "sparsity": settings.sparsities()[-1],
        "parameters": sum(array.size for array in weights),
        "nonzero": sum(int(np.count_nonzero(array)) for array in weights),
        "file_bytes": len(last.content),
        "dense_file_bytes": dense_bytes,
        "dense": {f"{name} relative error": 0.0 for name in last.errors},
        "sparse": {f"{name} relative error": one["relative"] for name, one in last.errors.items()},
        "errors": last.errors,
        "curve": [{"sparsity": sparsity, "errors": one.errors} for sparsity, one in found.items()],
        "layers": list(last.layers),
        "artifact": MODEL,
        "report": "report.html",
    }


def _write_sections(
    folder: Path, name: str, settings: PruneSettings, found: Mapping[float, PrunedGraph]
) -> None:
    last = [*found.values()][-1]
    figures = [
        number(f"{output}: error by spread", one["relative"], format="percent")
        for output, one in last.errors.items()
    ]
    lead = (
        "The error is the root mean square difference to the dense model's output, by how much that output "
        "varies, on calibration inputs that no layer was fitted to."
    )
    items = [numbers(*figures[:4])]
    columns = ["sparsity", "output", ("error by spread", "percent"), "largest difference", "same class"]
    rows = [
        [sparsity, output, one["relative"], one["largest"], one.get("same_class")]
        for sparsity, pruned in found.items()
        for output, one in pruned.errors.items()
    ]
    items.append(table(columns, rows))
    if len(found) > 1:
        lines = [
            series(output, [*found], [pruned.errors[output]["relative"] for pruned in found.values()])
            for output in last.errors
        ]
        items.append(line(lines, "sparsity", "error by spread", y_format="percent"))
    write_section(folder, 10, "error", f"{name}: {settings.method}, {settings.pattern}", items, lead)
    write_section(folder, 20, "layers", "Layers", [_layers(last)])


def _layers(pruned: PrunedGraph) -> dict[str, Any]:
    columns = ["layer", "kind", "shape", ("weights", "integer"), ("not zero", "integer"),
               ("output lost", "percent"), "stays dense"]  # fmt: skip
    rows = [
        [row["layer"], row["kind"], " × ".join(map(str, row["shape"])), row["weights"], row["nonzero"],
         row["lost"], row["why_dense"]]
        for row in pruned.layers
    ]  # fmt: skip
    caption = "In the order in which they run. What is lost is the share of the output's mean square."
    return table(columns, rows, caption=caption)
