"""`predict` as a command: a saved model and data in, rows of predictions out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pomona.export.predictors.load import Runtime, load
from pomona.export.predictors.onnx import OpenSession
from pomona.export.predictors.predictor import Answers, Predictor
from pomona.foundation.errors import SettingError
from pomona.foundation.files import to_json, write_bytes

Row = dict[str, Any]


def predict_command(
    artifact: str | Path,
    data: Any,
    *,
    out: str | Path | None = None,
    runtime: Runtime = "torch",
    blocks: str | Path | None = None,
    open_session: OpenSession | None = None,
) -> dict[str, Any]:
    """The result of the command: how many records there are, and a row for each, or with `out` that file.

    A row has name, prediction and, where it classifies, probability: of the predicted class, or by label. Of
    a model with several targets the last two are by target. `open_session` opens the exported network in
    place of ONNX Runtime; if it gives a reason for what it runs, the result has it as "runtime".
    """
    write = None if out is None else _writer(Path(out))
    predictor = load(artifact, blocks=blocks, runtime=runtime, open_session=open_session)
    if predictor.kind == "forecaster":
        return _forecast(predictor, artifact, data, out)
    rows = [row for answers in predictor.answers(data) for row in _rows(predictor, answers)]
    result: dict[str, Any] = {"artifact": str(artifact), "kind": predictor.artifact.task_kind}
    result["count"] = len(rows)
    if reason := getattr(predictor.session, "reason", ""):
        result["runtime"] = reason
    if out is None or write is None:
        return {**result, "predictions": rows}
    write_bytes(Path(out), write(rows))
    return {**result, "out": str(out)}


def _forecast(predictor: Any, artifact: str | Path, data: Any, out: str | Path | None) -> dict[str, Any]:
    """The rows of a forecast, which come as one table."""
    table = predictor.table(data)
    result = {"artifact": str(artifact), "kind": "forecast", "count": table.num_rows}
    if out is not None:
        write_bytes(Path(out), _table_file(table, Path(out)))
        return {**result, "out": str(out)}
    keys = [name for name in table.column_names if name in predictor.layout.roles.columns]
    rows = [
        {**row, "name": " ".join(str(row[key]) for key in keys), "prediction": row["mean"]}
        for row in _plain_rows(table)
    ]
    return {**result, "predictions": rows}


def _table_file(table: Any, path: Path) -> bytes:
    """The content of a CSV, Parquet or JSON-lines file, by the ending of `path`."""
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    if path.suffix.lower() == ".jsonl":
        return _as_lines(_plain_rows(table))
    sink = pyarrow.BufferOutputStream()
    if path.suffix.lower() == ".csv":
        pyarrow.csv.write_csv(table, sink)
    else:
        pyarrow.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()


def _plain_rows(table: Any) -> list[Row]:
    """The rows of a table, times as text."""
    rows = table.to_pylist()
    return [{k: v if isinstance(v, str | int | float) else str(v) for k, v in row.items()} for row in rows]


def _rows(predictor: Predictor, answers: Answers) -> list[Row]:
    probabilities = {
        name: _probabilities(predictor.artifact.task_kind, values, predictor.targets[name].classes)
        for name, values in answers.predictions.items()
    }
    rows = []
    for index, name in enumerate(answers.names):
        row: Row = {"name": name}
        row["prediction"] = _one_or_all({t: entries[index] for t, entries in answers.decisions.items()})
        if any(found is not None for found in probabilities.values()):
            row["probability"] = _one_or_all({t: p and p[index] for t, p in probabilities.items()})
        rows.append(row)
    return rows


def _probabilities(kind: str, values: np.ndarray, classes: tuple[str, ...]) -> list[Any] | None:
    if kind == "classify":
        return values.max(axis=1).tolist()
    if kind == "multilabel":
        names = classes or tuple(map(str, range(values.shape[1])))
        return [dict(zip(names, row, strict=True)) for row in values.tolist()]
    return None


def _one_or_all(by_target: dict[str, Any]) -> Any:
    return next(iter(by_target.values())) if len(by_target) == 1 else by_target


def _writer(path: Path) -> Callable[[list[Row]], bytes]:
    if path.suffix.lower() not in _WRITERS:
        raise SettingError(f"predictions are written to {', '.join(_WRITERS)} files, not to {path.name!r}")
    return _WRITERS[path.suffix.lower()]


def _as_lines(rows: list[Row]) -> bytes:
    return "".join(f"{to_json(row)}\n" for row in rows).encode()


def _as_csv(rows: list[Row]) -> bytes:
    import csv
    import io

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(rows[0])
    table.writerows([[_cell(value) for value in row.values()] for row in rows])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else to_json(value)


def _as_parquet(rows: list[Row]) -> bytes:
    import json

    import pyarrow
    from pyarrow import parquet

    sink = pyarrow.BufferOutputStream()
    # by way of JSON, in which arrays are lists
    parquet.write_table(pyarrow.Table.from_pylist([json.loads(to_json(row)) for row in rows]), sink)
    return sink.getvalue().to_pybytes()


_WRITERS: dict[str, Callable[[list[Row]], bytes]] = {
    ".csv": _as_csv,
    ".parquet": _as_parquet,
    ".jsonl": _as_lines,
}
