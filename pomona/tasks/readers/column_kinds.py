"""What a column of a table holds, told from its training values."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int, Shaped

from pomona.tasks.preprocessing.categories import MAX_LEVELS
from pomona.tasks.preprocessing.dates import date_formats
from pomona.tasks.preprocessing.values import Decimal, as_numbers, as_text, decimal_sign

ColumnKind = Literal["number", "category", "date", "text", "word", "vector", "unused"]
"""A `word` is one of so many that they are nearly all different: names, codes, ids."""

SAMPLE = 2000
"""Dates and text are told from this many different values."""
ODD_SHARE, ODD_WORDS = 0.1, 5
"""A column of numbers may hold this share of cells, in so many words, that are none ("?", "unknown")."""


@dataclass(frozen=True)
class Column:
    """The kind of a column; `note` says what the user should know, `decimal` how its numbers are written."""

    kind: ColumnKind
    note: str = ""
    decimal: Decimal = "."


def column_kind(
    name: str,
    values: Shaped[np.ndarray, " row"],
    rows: Int[np.ndarray, " row"],
    *,
    has_decimal_comma: bool = False,
) -> Column:
    """The kind of the column from training values and the numbers of their rows in the table.

    Columns that cannot help are unused, with a note that says why.
    """
    if values.dtype.kind == "M":
        return _unless_constant(name, "date", len(np.unique(values[~np.isnat(values)])))
    if values.dtype.kind in "buif":
        return _number_column(name, np.asarray(values, np.float64), rows, Column("number"))
    if isinstance(next((value for value in values if value is not None), None), np.ndarray):
        return _vector_column(name, values)
    numbers = as_numbers(values)
    if not np.isnan(numbers).any():
        return _number_column(name, numbers, rows, Column("number"))
    texts = as_text(values)
    present = np.array([text for text in texts if text is not None], object)
    distinct = sorted(set(present))
    if len(distinct) <= 1:
        return _unless_constant(name, "category", len(distinct))
    decimal = decimal_sign(present, comma_is_likely=has_decimal_comma)
    numbers = as_numbers(present, decimal)
    odd = sorted(set(present[np.isnan(numbers)]))
    if len(odd) <= ODD_WORDS and np.isnan(numbers).mean() <= ODD_SHARE:
        listed = ", ".join(map(repr, odd))
        note = f"column {name!r} is of numbers; {listed} there counts as missing" if odd else ""
        return _number_column(name, as_numbers(texts, decimal), rows, Column("number", note, decimal))
    some = np.array(distinct[:: max(len(distinct) // SAMPLE, 1)], object)
    if date_formats(some):
        return Column("date")
    return _worded_column(name, present, distinct)


def _number_column(name: str, numbers: np.ndarray, rows: np.ndarray, column: Column) -> Column:
    present = numbers[np.isfinite(numbers)]
    num_distinct = len(np.unique(present))
    if num_distinct <= 1:
        return _unless_constant(name, "number", num_distinct)
    if len(present) == len(numbers) and np.ptp(numbers - rows) == 0:
        return Column("unused", f"column {name!r} counts the rows and was left out")
    return column


def _worded_column(name: str, present: np.ndarray, distinct: list[str]) -> Column:
    share = len(distinct) / len(present)
    words = float(np.mean([len(text.split()) for text in distinct[:SAMPLE]]))
    is_long = words >= 3 or np.mean([len(text) for text in distinct[:SAMPLE]]) > 40
    is_varied = share > 0.5 and len(distinct) > 2 * MAX_LEVELS
    if (is_long and (share > 0.2 or len(distinct) > 200)) or (is_varied and words >= 1.5):
        return Column("text")
    if share == 1 and len(present) > 20:
        return Column("word", f"column {name!r} is different in every row, like an id, and was left out")
    return Column("word" if is_varied else "category")


def _vector_column(name: str, values: np.ndarray) -> Column:
    lengths = {len(value) for value in values if value is not None}
    if len(lengths) == 1 and all(value is not None for value in values) and lengths != {0}:
        return Column("vector")
    return Column("unused", f"column {name!r} has lists of unlike length and was left out")


def _unless_constant(name: str, kind: ColumnKind, num_distinct: int) -> Column:
    if num_distinct > 1:
        return Column(kind)
    why = "is empty" if num_distinct == 0 else "has the same value in every row"
    return Column("unused", f"column {name!r} {why} and was left out")
