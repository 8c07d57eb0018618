"""What a user wants predictions for, as a source of raw batches: files, arrays, data frames, texts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.readers.files import SUFFIXES, Form, file_form
from pomona.tasks.readers.folder import folder_form
from pomona.tasks.readers.input_source import (
    UserInput,
    input_of_arrays,
    input_of_files,
    input_of_folder,
    input_of_table,
)
from pomona.tasks.readers.npz_task import read_arrays
from pomona.tasks.readers.table import open_table

MEDIA: tuple[Form, ...] = ("image", "audio")
TEXT = ("tokens", "bag")


def read_input(source: Any, preprocessing: Preprocessing, inputs: Mapping[str, Feature]) -> UserInput:
    """Raw batches of `source` for a model with this preprocessing and these inputs, and names of examples.

    source                                        examples, and their names
    CSV or Parquet file                           rows; 1, 2, …
    image or wav file, or a folder of them        files; their paths
    npz file, dict of arrays                      entries of the arrays; 1, 2, …
    array                                         entries, or one example without the leading axis
    pandas or polars data frame, Arrow table      rows
    list of texts, paths or dicts; a text         its members

    Raises DataError when the source is not what the model was trained on.
    """
    if isinstance(source, str | Path):
        return _of_path(source, preprocessing, inputs)
    if isinstance(source, np.ndarray):
        return input_of_arrays(_columns_of_array(source, preprocessing, inputs))
    if isinstance(source, Mapping):
        return input_of_arrays({str(name): _column(values) for name, values in source.items()})
    if hasattr(source, "column_names"):
        return input_of_arrays(
            {name: _column(source.column(name).to_numpy()) for name in source.column_names}
        )
    if hasattr(source, "columns"):
        return input_of_arrays({str(name): _column(source[name]) for name in source.columns})
    if isinstance(source, Sequence) and len(source):
        return _of_list(list(source), preprocessing, inputs)
    raise DataError(
        f"cannot predict for {type(source).__name__} {source!r:.60}; wanted a path, arrays, a table or texts"
    )


def _of_path(source: str | Path, preprocessing: Preprocessing, inputs: Mapping[str, Feature]) -> UserInput:
    path = Path(source).expanduser()
    kinds = {step.kind for step in preprocessing.steps}
    if not _exists(path) and kinds and kinds <= set(TEXT) and path.suffix.lower() not in SUFFIXES:
        return _of_list([str(source)], preprocessing, inputs)
    if path.is_dir() and kinds & set(MEDIA):
        media: Form = next(kind for kind in MEDIA if kind in kinds)
        return input_of_folder(path, _only_column(preprocessing, inputs), media)
    if path.is_dir() and folder_form(path) != "parquet":
        raise DataError(f"{path} is a folder of files; the model wants {_wanted(preprocessing, inputs)}")
    form = "parquet" if path.is_dir() else file_form(path)
    if form in MEDIA:
        if form not in kinds:
            raise DataError(f"{path} is of the kind {form}; the model wants {_wanted(preprocessing, inputs)}")
        return replace(input_of_files([path], _only_column(preprocessing, inputs), form), names=(path.name,))
    if form == "npz":
        return input_of_arrays(_columns_of_npz(path, preprocessing, inputs))
    columns = _columns(preprocessing, inputs)
    if kinds == {"tokens"} and path.suffix.lower() == ".txt" and len(columns) == 1:
        return _of_list(path.read_text("utf-8", "replace").splitlines(), preprocessing, inputs)
    if kinds & set(MEDIA):
        raise DataError(f"{path} is a table; the model wants {_wanted(preprocessing, inputs)}")
    return input_of_table(open_table(path), columns)


def _of_list(values: list[Any], preprocessing: Preprocessing, inputs: Mapping[str, Feature]) -> UserInput:
    kinds = {step.kind for step in preprocessing.steps}
    if all(isinstance(value, Mapping) for value in values):
        names = dict.fromkeys(name for value in values for name in value)
        return input_of_arrays({str(name): _column([value.get(name) for value in values]) for name in names})
    if all(isinstance(value, str | Path) for value in values) and kinds & set(MEDIA):
        media: Form = next(kind for kind in MEDIA if kind in kinds)
        files = [Path(value).expanduser() for value in values]
        return input_of_files(files, _only_column(preprocessing, inputs), media)
    if all(isinstance(value, str) for value in values):
        return input_of_arrays({_only_column(preprocessing, inputs): _column(values)})
    if kinds & set(MEDIA):
        return input_of_arrays(
            {_only_column(preprocessing, inputs): _objects([np.asarray(one) for one in values])}
        )
    return input_of_arrays(_columns_of_array(np.asarray(values), preprocessing, inputs))


def _columns_of_array(
    values: np.ndarray, preprocessing: Preprocessing, inputs: Mapping[str, Feature]
) -> Batch:
    columns = _columns(preprocessing, inputs)
    if len(columns) == 1:
        feature = next(iter(inputs.values()))
        return {columns[0]: values[None] if _is_one_example(values, feature) else values}
    rows = np.atleast_2d(values)
    if rows.ndim != 2 or rows.shape[1] != len(columns):
        raise DataError(
            f"got an array of the shape {values.shape}; the model wants {len(columns)} columns: "
            f"{', '.join(columns[:10])}{', …' if len(columns) > 10 else ''}"
        )
    return {column: rows[:, index] for index, column in enumerate(columns)}


def _columns_of_npz(path: Path, preprocessing: Preprocessing, inputs: Mapping[str, Feature]) -> Batch:
    arrays, columns = read_arrays(path), _columns(preprocessing, inputs)
    if all(column in arrays for column in columns):
        return {name: values for name, values in arrays.items() if name in columns or name.endswith(".rate")}
    named = [name for name in ("x", "X", "inputs", "arr_0") if name in arrays] or list(arrays)[
        : len(arrays) == 1
    ]
    if len(columns) == 1 and named:
        return {columns[0]: arrays[named[0]]}
    missing = next(column for column in columns if column not in arrays)
    raise DataError(f"{path} has the arrays {', '.join(arrays)}; the model wants {missing!r}")


def _is_one_example(values: np.ndarray, feature: Feature) -> bool:
    if feature.kind == "image":
        is_coloured = (
            values.ndim == 3 and values.shape[2] in (1, 3, 4) and values.shape[1:] != feature.shape[1:]
        )
        return values.ndim == 2 or is_coloured
    dimensions = {"audio": 1, "series": 2, "vector": 1, "tokens": 1}.get(feature.kind, len(feature.shape))
    if feature.kind == "tokens" and values.dtype.kind in "OUS":
        return values.ndim == 0
    return values.dtype != object and values.ndim == dimensions


def _columns(preprocessing: Preprocessing, inputs: Mapping[str, Feature]) -> tuple[str, ...]:
    return preprocessing.columns or tuple(inputs)


def _only_column(preprocessing: Preprocessing, inputs: Mapping[str, Feature]) -> str:
    columns = list(_columns(preprocessing, inputs))
    if len(columns) > 1:
        raise DataError(
            f"the model wants {_wanted(preprocessing, inputs)}; give a table, or arrays by these names"
        )
    return columns[0]


def _wanted(preprocessing: Preprocessing, inputs: Mapping[str, Feature]) -> str:
    columns = _columns(preprocessing, inputs)
    kinds = ", ".join(sorted({feature.kind for feature in inputs.values()}))
    return f"{', '.join(map(repr, columns[:10]))}{', …' if len(columns) > 10 else ''} ({kinds})"


def _column(values: Any) -> np.ndarray:
    """A column of what a user gave: text and missing values as objects, lists of equal length stacked."""
    if isinstance(values, list | tuple):
        shapes = {np.shape(value) for value in values}
        if len(shapes) > 1:
            return _objects([value if value is None else np.asarray(value) for value in values])
        if shapes == {()} and any(value is None or isinstance(value, str) for value in values):
            return _objects(list(values))
    array = np.atleast_1d(np.asarray(values))
    return array.astype(object) if array.dtype.kind in "US" else array


def _objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a text longer than a file name can be
        return False
