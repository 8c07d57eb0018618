"""Parquet tables, a file or a folder of parts: read by row groups, never whole."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch

BLOCK_CELLS = 1 << 21


def parquet_columns(paths: Sequence[Path]) -> dict[str, bool]:
    """The columns by name, and whether each is of a type that is used. Parts must agree in their names."""
    schemas = {path: _open(path).schema_arrow for path in paths}
    first_path, first = next(iter(schemas.items()))
    for path, schema in schemas.items():
        if set(schema.names) != set(first.names):
            odd = sorted(set(schema.names) ^ set(first.names))
            raise DataError(f"{path} and {first_path} have unlike columns: only one has {', '.join(odd[:5])}")
    return {field.name: _is_usable(field.type) for field in first}


def parquet_blocks(paths: Sequence[Path], columns: Sequence[str]) -> Iterator[Batch]:
    """Raw batches of the columns: floats with NaN, datetime64 with NaT, object arrays with None."""
    import pyarrow

    rows = max(BLOCK_CELLS // max(len(columns), 1), 64)
    for path in paths:
        try:
            with _open(path) as file:
                for block in file.iter_batches(batch_size=rows, columns=list(columns), use_threads=False):
                    if block.num_rows:
                        yield {name: raw_column(block.column(name)) for name in columns}
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _damaged(path, error) from error


def raw_column(column: Any) -> np.ndarray:
    """An Arrow array as a raw column."""
    import pyarrow
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        return raw_column(column.cast(kind.value_type))
    if types.is_decimal(kind) or (types.is_integer(kind) and column.null_count):
        return column.cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
    if types.is_timestamp(kind) or types.is_date(kind):
        # a zone is dropped: what is stored is UTC
        return column.cast(pyarrow.timestamp("us", tz=getattr(kind, "tz", None))).to_numpy(
            zero_copy_only=False
        )
    if types.is_time(kind) or types.is_duration(kind):
        whole = pyarrow.int32() if types.is_time32(kind) else pyarrow.int64()
        return column.cast(whole).cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
    if _is_list(kind):
        values = np.empty(len(column), object)
        values[:] = [None if one is None else np.asarray(one, np.float64) for one in column.to_pylist()]
        return values
    return column.to_numpy(zero_copy_only=False)


def _open(path: Path) -> Any:
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    detail = (str(error).splitlines() or [""])[0][:120]
    return DataError(f"{path} is no whole Parquet file ({detail}); copy it again")


def _is_usable(kind: Any) -> bool:
    from pyarrow import types

    simple = (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_string)
    more = (
        types.is_large_string,
        types.is_timestamp,
        types.is_date,
        types.is_time,
        types.is_duration,
        types.is_null,
    )
    if types.is_dictionary(kind):
        return _is_usable(kind.value_type)
    return any(test(kind) for test in (*simple, *more)) or _is_list(kind)


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return is_list and (types.is_integer(kind.value_type) or types.is_floating(kind.value_type))
