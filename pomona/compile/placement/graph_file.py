"""Graphs as files: `.json` for people and other programs, `.npz` for size; both keep every digit."""

import io
import json
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.placement.graph import Graph
from pomona.foundation.errors import DataError, InputError
from pomona.foundation.files import to_json, write_bytes

FORMAT = "pomona-graph"
VERSION = 1
_FIELDS = tuple(field.name for field in fields(Graph))
_TEXTS = ("name", "op_names", "labels")


def write_graph(graph: Graph, path: Path) -> None:
    """Writes the graph in the form that the suffix names, `.json` or `.npz`."""
    path = Path(path)
    if path.suffix == ".json":
        values = {name: getattr(graph, name) for name in _FIELDS}
        write_bytes(path, (to_json({"format": FORMAT, "version": VERSION, **values}) + "\n").encode())
    elif path.suffix == ".npz":
        header = {"format": FORMAT, "version": VERSION, **{name: getattr(graph, name) for name in _TEXTS}}
        arrays = {name: getattr(graph, name) for name in _FIELDS if name not in _TEXTS}
        buffer = io.BytesIO()
        # text as bytes: object arrays would need pickle, and wide characters four times the space
        np.savez_compressed(buffer, header=np.frombuffer(to_json(header).encode(), np.uint8), **arrays)
        write_bytes(path, buffer.getvalue())
    else:
        raise DataError(f"a graph file ends in .json or .npz, got {path.name!r}: rename it")


def read_graph(path: Path) -> Graph:
    """The graph in a file that `write_graph` wrote. Raises DataError when there is none."""
    path = Path(path)
    try:
        values = _read_npz(path) if path.suffix == ".npz" else json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot read the graph {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} should be a graph file, but cannot be read as {path.suffix}: {error}"
        ) from error
    if not is_graph(values):
        raise DataError(f"{path} should be a graph file that Pomona wrote, but its format is not {FORMAT!r}")
    if values.get("version") != VERSION:
        raise DataError(
            f"{path} is a graph file of version {values.get('version')}, but this Pomona reads version "
            f"{VERSION}: install a newer one"
        )
    return _graph(values, path)


def is_graph(values: Any) -> bool:
    """Whether JSON values are a graph in the form of this module."""
    return isinstance(values, dict) and values.get("format") == FORMAT


def _graph(values: dict[str, Any], path: Path) -> Graph:
    missing = [name for name in _FIELDS if name not in values]
    if missing:
        raise DataError(f"the graph {path} has no {missing[0]}: write it again")
    try:
        arrays = {name: np.asarray(values[name]) for name in _FIELDS if name not in _TEXTS}
        words, labels = (tuple(map(str, values[name])) for name in ("op_names", "labels"))
        # a graph without edges has an empty list, which has one axis
        arrays["edges"] = arrays["edges"].reshape(-1, 2)
        return Graph(name=str(values["name"]), op_names=words, labels=labels, **arrays)
    except InputError as error:
        raise DataError(f"the graph {path} is wrong: {error}") from error
    except (ValueError, TypeError) as error:
        raise DataError(f"the graph {path} should hold arrays of numbers, but does not: {error}") from error


def _read_npz(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes().decode())
        return {**{name: arrays[name] for name in arrays.files if name != "header"}, **header}
