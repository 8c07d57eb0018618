"""A table on disk, in text or Parquet, that is read block by block and never whole."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.readers.dialect import check_names, read_dialect
from pomona.tasks.readers.files import file_form
from pomona.tasks.readers.parquet_table import parquet_blocks, parquet_columns
from pomona.tasks.readers.text_table import check_utf8, text_blocks


@dataclass(frozen=True)
class Table:
    """`blocks(columns)` gives the rows in order, in raw batches of some columns; it can be called again."""

    path: Path
    names: tuple[str, ...]
    blocks: Callable[[Sequence[str]], Iterator[Batch]]
    has_decimal_comma: bool = False
    """Whether "1,234" is more likely a fraction than groups of thousands."""
    notes: tuple[str, ...] = ()


def open_table(path: Path) -> Table:
    """The table in a CSV or Parquet file or a folder of Parquet files. Raises DataError for anything else."""
    if path.is_dir():
        return _parquet_table(path, sorted(path.rglob("*.parquet")))
    form = file_form(path)
    if form == "parquet":
        return _parquet_table(path, [path])
    if form != "csv":
        raise DataError(f"{path} is no table; wanted CSV or Parquet")
    check_utf8(path)
    dialect = read_dialect(path)
    notes = (
        () if dialect.has_header else (f"{path.name} has no line of names: its columns are column 1, 2, …",)
    )
    return Table(
        path,
        dialect.names,
        lambda columns: text_blocks(path, dialect, columns),
        has_decimal_comma=dialect.delimiter == ";",
        notes=notes,
    )


def find_column(table: Table, name: str, role: str) -> str:
    """The name itself. Raises DataError, with near names, when the table has no such column."""
    if name in table.names:
        return name
    near = difflib.get_close_matches(name, table.names, n=3)
    by_case = [other for other in table.names if other.lower() == name.lower()]
    meant = " or ".join(map(repr, by_case or near))
    hint = f"; did you mean {meant}? It has " if meant else "; it has "
    few = ", ".join(table.names[:20]) + (", …" if len(table.names) > 20 else "")
    if len(table.names) == 1:
        few += " alone: separate columns by commas, semicolons, tabs or |"
    raise DataError(f"{table.path} has no column {name!r} for the {role}{hint}{few}")


def _parquet_table(path: Path, parts: list[Path]) -> Table:
    if not parts:
        raise DataError(f"{path} holds no Parquet files")
    columns = parquet_columns(parts)
    check_names(path, tuple(columns))
    names = tuple(name for name, is_usable in columns.items() if is_usable)
    left_out = [name for name, is_usable in columns.items() if not is_usable]
    notes = tuple(f"column {name!r} is of a type that is not used and was left out" for name in left_out)
    return Table(path, names, lambda wanted: parquet_blocks(parts, wanted), notes=notes)
