"""How a table in text is written: what separates its columns, and whether its first line names them."""

import csv
import io
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from pomona.foundation.errors import DataError
from pomona.tasks.preprocessing.values import number_of

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_BYTES = 1 << 20
SAMPLE_LINES = 50


@dataclass(frozen=True)
class Dialect:
    """The delimiter, the names of the columns, and how many lines stand before the first row."""

    delimiter: str
    names: tuple[str, ...]
    num_blank_lines: int
    has_header: bool


def read_dialect(path: Path) -> Dialect:
    """The dialect of a table in UTF-8. Raises DataError for duplicate names and a table without rows."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES).decode("utf-8-sig", "ignore")
    lines = sample.splitlines()
    num_blank = next((index for index, line in enumerate(lines) if line.strip()), 0)
    text = "\n".join(lines[num_blank:]) + "\n"
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter, SAMPLE_LINES)
    has_header = not _looks_like_data(rows[0])
    if len(rows) < 2:
        raise DataError(f"{path} has no rows, only {'a header' if has_header else 'one line'}")
    if not has_header:
        names = tuple(f"column {index}" for index in range(1, len(rows[0]) + 1))
        return Dialect(delimiter, names, num_blank, False)
    names = tuple(cell.strip() or f"column {index}" for index, cell in enumerate(rows[0], start=1))
    check_names(path, names)
    return Dialect(delimiter, names, num_blank, True)


def check_names(path: Path, names: tuple[str, ...]) -> None:
    """Raises DataError when two columns of the table have the same name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        shown = ", ".join(map(repr, twice[:5]))
        raise DataError(f"{path}: more than one column is named {shown}; give each its own name")


def _delimiter(text: str) -> str:
    """The delimiter with which most lines have as many cells as the first one, and then the most cells."""

    def merit(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in _rows(text, delimiter, SAMPLE_LINES)]
        if counts[0] == 1:
            return 0.0, 1
        return sum(count == counts[0] for count in counts) / len(counts), counts[0]

    return max(DELIMITERS, key=merit)


def _rows(text: str, delimiter: str, num_rows: int) -> list[list[str]]:
    rows = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    limit = csv.field_size_limit(SAMPLE_BYTES)
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) == num_rows:
                break
    except csv.Error:  # an unclosed quote; the real reader tells where
        pass
    finally:
        csv.field_size_limit(limit)
    return rows or [[text]]


def _looks_like_data(first: list[str]) -> bool:
    """Whether a first line is of numbers that cannot be names: fractions, or one of them twice."""
    numbers = [number_of(cell) for cell in first]
    if any(math.isnan(number) for number in numbers):
        return False
    return len(set(first)) < len(first) or not all(number.is_integer() for number in numbers)
