"""The report of a pruning: what is lost and what is saved, at every sparsity and in every layer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.compile.pruning.judge import Judged
from pomona.compile.pruning.network import Pruned
from pomona.compile.pruning.settings import PruneSettings
from pomona.fit.sections.scores import score_format
from pomona.fit.sections.training import training_section
from pomona.foundation.report import line, number, numbers, series, table, write_section

MOST_METRICS = 4
"""In the table of the curve."""


def write_prune_sections(
    folder: Path,
    dense: Judged,
    found: Mapping[float, tuple[Pruned, Judged]],
    student: Judged | None,
    settings: PruneSettings,
) -> None:
    """Writes the sections of a run; `found` is by sparsity."""
    task = dense.test.task
    metric = next(iter(dense.test.values), task.metrics[0])
    pruned, last = [*found.values()][-1]
    title = f"{task.name}: {settings.method}, {settings.pattern}"
    write_section(folder, 10, "sparsity", title, _curve(dense, found, student, metric, settings))
    write_section(folder, 20, "layers", "Layers", _layers(layer_rows(pruned, last)))
    write_section(folder, 30, "training", "Sparse training", training_section(pruned.result.history, metric))


def layer_rows(pruned: Pruned, judged: Judged) -> list[dict[str, Any]]:
    """One row a layer: what it is, its weights, and how many are not zero."""
    return [
        {
            "layer": layer.name.removeprefix("blocks.").removesuffix(".weight"),
            "kind": layer.kind,
            "shape": list(layer.shape),
            "uses": layer.uses,
            "weights": layer.size,
            "nonzero": int(judged.state[layer.name].count_nonzero()),
            "pruned": layer.name in pruned.densities,
            "why_dense": "" if layer.name in pruned.densities else layer.why_dense or "by name",
        }
        for layer in pruned.layers
    ]


def _curve(
    dense: Judged,
    found: Mapping[float, tuple[Pruned, Judged]],
    student: Judged | None,
    metric: str,
    settings: PruneSettings,
) -> list[dict[str, Any]]:
    form = score_format(metric)
    last = [*found.values()][-1][1]
    models = [("dense", dense), *((f"{sparsity:g} sparse", one) for sparsity, (_, one) in found.items())]
    models += [(f"distilled: {settings.student}", student)] if student else []
    metrics = [name for name in dense.test.values][:MOST_METRICS]
    rows = [
        [name, *(one.test.values.get(m) for m in metrics), one.parameters, one.nonzero, one.file_bytes,
         one.latency_ms, one.sparse_ms]
        for name, one in models
    ]  # fmt: skip
    columns = ["network", *((f"{m}, test", score_format(m)) for m in metrics)]
    columns += ["weights", "not zero", ("file of weights", "bytes"), ("ONNX Runtime", "number", "ms"),
                ("sparse runtime", "number", "ms")]  # fmt: skip
    items = [
        numbers(
            number(f"{metric}, dense", dense.test.values.get(metric), format=form,
                   interval=dense.test.interval(metric)),
            number(f"{metric}, sparse", last.test.values.get(metric), format=form,
                   interval=last.test.interval(metric)),
            number("file by that of the dense network", last.file_bytes / dense.dense_file_bytes,
                   format="percent"),
        ),
        table(columns, rows, highlight=len(found),
              caption="Times are medians of one example on one thread; ONNX Runtime gains nothing by zeros."),
    ]  # fmt: skip
    if len(found) > 1:
        at = [0.0, *found]
        judged = [dense, *(one for _, one in found.values())]
        scores = series(metric, at, [one.test.values.get(metric) for one in judged])
        sizes = series("file", at, [one.file_bytes / dense.dense_file_bytes for one in judged])
        items.append(line([scores], "sparsity", f"{metric} on test", y_format=form))
        items.append(line([sizes], "sparsity", "file by that of the dense network", y_format="percent"))
        if all(one.sparse_ms for one in judged):
            runtimes = {
                "ONNX Runtime": [one.latency_ms for one in judged],
                "sparse runtime": [one.sparse_ms for one in judged],
            }
            lines = [series(name, at, times) for name, times in runtimes.items()]
            items.append(line(lines, "sparsity", "milliseconds"))
    return items


def _layers(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    columns = ["layer", "kind", "shape", ("multiplications a weight", "integer"), ("weights", "integer"),
               ("not zero", "integer"), ("sparsity", "percent"), "stays dense"]  # fmt: skip
    plain = [
        [row["layer"], row["kind"], " × ".join(map(str, row["shape"])), row["uses"], row["weights"],
         row["nonzero"], 1 - row["nonzero"] / row["weights"], row["why_dense"]]
        for row in rows
    ]  # fmt: skip
    return [table(columns, plain, caption="In the order in which they run.")]
