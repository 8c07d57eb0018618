"""A user's table, whatever holds it, in pieces: batches of Arrow columns, never all of it by need."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow

from pomona.foundation.errors import DataError
from pomona.tasks.readers.dialect import Dialect, read_dialect

BLOCK_BYTES = 8 << 20
BATCH_ROWS = 1 << 18
FRAMES = "a CSV or Parquet file, a folder of Parquet files, a pandas, polars or Arrow table"


@dataclass(frozen=True)
class Table:
    """Names of the columns and a way to read some of them, as often as wanted, in batches and in order."""

    label: str
    names: tuple[str, ...]
    is_text: bool
    """Whether every cell is text, as in a CSV file."""
    read: Callable[[Sequence[str]], Iterator[pyarrow.RecordBatch]]
    schema: pyarrow.Schema | None = None
    """Types of the columns where the table has them."""
    size_bytes: int | None = None


def open_table(data: Any) -> Table:
    """The table in a file, a folder or a data frame. Raises DataError for anything else."""
    if isinstance(data, Table):
        return data
    if isinstance(data, str | Path):
        return _open_path(Path(data).expanduser())
    if isinstance(data, pyarrow.Table):
        return _of_arrow(data, "the table")
    kind = type(data).__module__.partition(".")[0]
    if kind == "polars":
        frame = data.collect() if hasattr(data, "collect") else data
        return _of_arrow(frame.to_arrow(), "the frame")
    if kind == "pandas":
        return _of_pandas(data)
    raise DataError(f"forecasting reads {FRAMES}; got {type(data).__name__}")


def _open_path(path: Path) -> Table:
    if path.is_dir():
        parts = sorted(path.glob("*.parquet"))
        if not parts:
            raise DataError(f"{path} has no *.parquet files: give {FRAMES}")
        return _of_parquet(path, parts)
    if not path.exists():
        raise DataError(f"no such file or folder: {path}; forecasting reads {FRAMES}")
    if path.suffix.lower() in (".parquet", ".pq"):
        return _of_parquet(path, [path])
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        dialect = read_dialect(path)
        if not dialect.has_header:
            raise DataError(f"{path} has no header: its first line should name the columns")

        def read(columns: Sequence[str]) -> Iterator[pyarrow.RecordBatch]:
            return _csv_batches(path, dialect, columns)

        return Table(str(path), dialect.names, True, read, None, path.stat().st_size)
    raise DataError(f"{path.name} is no table that forecasting reads: give {FRAMES}")


def _of_parquet(path: Path, parts: list[Path]) -> Table:
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(parts[0])
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is not readable as Parquet: {str(error).splitlines()[0]}") from error

    def read(columns: Sequence[str]) -> Iterator[pyarrow.RecordBatch]:
        for part in parts:
            with pyarrow.parquet.ParquetFile(part) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=list(columns)):
                    yield batch.select(list(columns))

    # pandas keeps its row numbers in a column of this name
    names = tuple(name for name in schema.names if not name.startswith("__index_level_"))
    size = sum(part.stat().st_size for part in parts)
    return Table(str(path), names, False, read, schema, size)


def _of_pandas(frame: Any) -> Table:
    names = [name for name in frame.index.names if name is not None]
    # an index with a name is a column that the user moved aside
    plain = frame.reset_index() if names else frame
    plain.columns = [str(name) for name in plain.columns]
    return _of_arrow(pyarrow.Table.from_pandas(plain, preserve_index=False), "the frame")


def _of_arrow(table: pyarrow.Table, label: str) -> Table:
    def read(columns: Sequence[str]) -> Iterator[pyarrow.RecordBatch]:
        yield from table.select(list(columns)).to_batches(BATCH_ROWS)

    return Table(label, tuple(table.column_names), False, read, table.schema, table.nbytes)


def _csv_batches(path: Path, dialect: Dialect, columns: Sequence[str]) -> Iterator[pyarrow.RecordBatch]:
    import pyarrow.csv

    read = pyarrow.csv.ReadOptions(
        use_threads=False,
        block_size=BLOCK_BYTES,
        column_names=list(dialect.names),
        skip_rows=dialect.num_blank_lines,
        skip_rows_after_names=1,
    )
    parse = pyarrow.csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True)
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(columns, pyarrow.string()),
        include_columns=list(columns),
        strings_can_be_null=False,
        check_utf8=True,
    )
    try:
        with pyarrow.csv.open_csv(path, read, parse, convert) as reader:
            yield from reader
    except (pyarrow.ArrowInvalid, UnicodeDecodeError) as error:
        detail = str(error).removeprefix("CSV parse error: ").splitlines()[0][:160]
        raise DataError(
            f"{path} is not an even table in UTF-8: {detail}; give every row the same number of cells"
        ) from error
