"""Columns that explain: numbers as they are, truth values as 0 and 1, text as the numbers of its levels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
from jaxtyping import Float32

from pomona.foundation.errors import DataError

_compute: Any = pyarrow.compute
"""Its functions are made when it is imported, unseen by checkers of types."""

MOST_LEVELS = 10_000
_EMPTY = pyarrow.array(["", "NA", "N/A", "NaN", "nan", "null", "None", "NULL"])
_TRUTH = {"true": 1.0, "false": 0.0}


def numbers_of(column: pyarrow.Array) -> Float32[np.ndarray, " row"] | None:
    """A column as numbers, NaN where it is empty; None when it holds anything else."""
    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        return numbers_of(column.dictionary_decode())
    if pyarrow.types.is_null(kind):
        return np.full(len(column), np.nan, np.float32)
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        return _of_text(column)
    if pyarrow.types.is_boolean(kind) or pyarrow.types.is_decimal(kind):
        return _floats(column.cast(pyarrow.int8() if pyarrow.types.is_boolean(kind) else pyarrow.float64()))
    if pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind):
        return _floats(column)
    return None


def first_text(column: pyarrow.Array) -> str:
    """The first cell that is no number, for messages."""
    for cell in column.to_pylist():
        if cell is not None and numbers_of(pyarrow.array([cell])) is None:
            return repr(cell)
    return "nothing"


def _of_text(column: pyarrow.Array) -> Float32[np.ndarray, " row"] | None:
    trimmed = _compute.utf8_trim_whitespace(column.cast(pyarrow.string()))
    is_empty = _compute.is_in(trimmed, _EMPTY)
    filled = _compute.if_else(is_empty, pyarrow.scalar(None, pyarrow.string()), trimmed)
    try:
        return _floats(filled.cast(pyarrow.float64()))
    except pyarrow.ArrowInvalid:
        coded = _compute.utf8_lower(filled).dictionary_encode()
    if not set(coded.dictionary.to_pylist()) <= set(_TRUTH):
        return None
    values = np.array([_TRUTH[text] for text in coded.dictionary.to_pylist()], np.float32)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.where(codes >= 0, values[codes], np.float32(np.nan))


def _floats(column: pyarrow.Array) -> Float32[np.ndarray, " row"]:
    plain = column.cast(pyarrow.float64(), safe=False)
    values = plain.to_numpy(zero_copy_only=False).astype(np.float32)
    return np.where(np.isfinite(values), values, np.float32(np.nan))


@dataclass
class Coder:
    """Numbers for the levels of one column, in the order in which they appear."""

    name: str
    levels: dict[str, int] = field(default_factory=dict)
    is_closed: bool = False
    """Whether a level that is not there yet is unknown rather than new."""

    def codes(self, column: pyarrow.Array) -> Float32[np.ndarray, " row"]:
        """The number of each cell's level; NaN where it is empty or unknown."""
        if pyarrow.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        coded = column.cast(pyarrow.string()).dictionary_encode()
        table = np.empty(len(coded.dictionary) + 1, np.float32)
        table[-1] = np.nan
        for place, level in enumerate(coded.dictionary.to_pylist()):
            if level not in self.levels and not self.is_closed and level.strip():
                self.levels[level] = len(self.levels)
            table[place] = self.levels.get(level, np.nan)
        if len(self.levels) > MOST_LEVELS:
            raise DataError(
                f"the column {self.name!r} has more than {MOST_LEVELS} different texts: leave it out"
            )
        return table[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]


def coders_of(levels: Mapping[str, tuple[str, ...]]) -> dict[str, Coder]:
    """Closed coders of known levels."""
    return {n: Coder(n, {text: i for i, text in enumerate(own)}, True) for n, own in levels.items()}
