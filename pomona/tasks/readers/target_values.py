"""The target columns of a table, held for all rows in little memory: numbers, and codes of the texts."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from pomona.foundation.errors import DataError
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.targets import encode_target, is_known
from pomona.tasks.preprocessing.values import Decimal, as_numbers, as_text
from pomona.tasks.readers.column_kinds import ODD_SHARE, ODD_WORDS

MAX_TEXTS = 200_000
"""A column with more different texts is not a target of classes; from there on only its numbers are kept."""
UNCODED = -2


@dataclass(frozen=True)
class TargetValues:
    """One column: `numbers` (NaN where a cell is none) and `codes` into `texts` (-1 where a cell is missing,
    UNCODED where there were too many different texts).

    `vectors` has a row of numbers for each cell of a column of lists.
    """

    name: str
    numbers: Float[np.ndarray, " row"]
    codes: Int[np.ndarray, " row"]
    texts: tuple[str, ...]
    vectors: Float[np.ndarray, "row values"] | None = None

    @property
    def is_number(self) -> bool:
        """Whether the cells are numbers but for a few odd words, which count as missing."""
        present = self.codes != -1
        odd = present & np.isnan(self.numbers)
        num_odd_words = len(np.unique(self.codes[odd])) if odd.any() else 0
        return bool(present.any() and odd.sum() <= ODD_SHARE * present.sum() and num_odd_words <= ODD_WORDS)

    @property
    def is_present(self) -> Bool[np.ndarray, " row"]:
        """The rows whose cell can be a target."""
        if self.vectors is not None:
            return np.asarray(np.isfinite(self.vectors).all(1))
        return np.asarray(np.isfinite(self.numbers) if self.is_number else self.codes >= 0)

    def distinct(self, rows: Shaped[np.ndarray, " kept"]) -> dict[str, int]:
        """The different texts in some rows (positions or a mask) and how often each is there."""
        counts = np.bincount(self.codes[rows][self.codes[rows] >= 0], minlength=len(self.texts))
        return {text: int(count) for text, count in zip(self.texts, counts, strict=True) if count}

    def known(self, feature: Feature) -> Bool[np.ndarray, " row"]:
        """The rows whose cell can be encoded as the feature."""
        if feature.kind == "number":
            return self.is_present
        of_text = is_known(feature, np.array([*self.texts, None], object))
        of_text[-1] = False
        return of_text[self.codes] & self.is_present

    def encode(self, feature: Feature, rows: Int[np.ndarray, " kept"]) -> Shaped[np.ndarray, "kept ..."]:
        """The feature's array for some rows, all of which are known."""
        if feature.kind == "number":
            values = self.numbers if self.vectors is None else self.vectors
            return encode_target(feature, values[rows])
        used, places = np.unique(self.codes[rows], return_inverse=True)
        return encode_target(feature, np.array([self.texts[code] for code in used], object))[places]


class TargetCollector:
    """Gathers a target column block by block."""

    def __init__(self, name: str, *, comma_is_likely: bool = False):
        self.name = name
        self._comma_is_likely = comma_is_likely
        self._code_of: dict[str | None, int] = {None: -1}
        self._codes: list[np.ndarray] = []
        self._numbers: dict[Decimal, list[np.ndarray]] = {".": [], ",": []}
        self._vectors: list[np.ndarray] = []

    def add(self, values: Shaped[np.ndarray, " block"]) -> None:
        """Takes the next cells. Raises DataError for lists of unlike length."""
        if values.dtype == object and any(isinstance(value, np.ndarray) for value in values):
            self._vectors.append(_rows_of_lists(self.name, values))
            self._codes.append(np.where(np.isnan(self._vectors[-1]).all(1), -1, UNCODED))
            return
        texts = as_text(values)
        self._codes.append(np.fromiter(map(self._code, texts), np.int32, len(texts)))
        point = as_numbers(values)
        has_comma = values.dtype == object and any("," in text for text in texts if text is not None)
        self._numbers["."].append(point)
        self._numbers[","].append(as_numbers(values, ",") if has_comma else point)

    def finish(self) -> TargetValues:
        """The whole column."""
        codes = np.concatenate(self._codes)
        texts = tuple(text for text in self._code_of if text is not None)
        if self._vectors:
            vectors = np.concatenate(self._vectors)
            return TargetValues(self.name, np.full(len(codes), np.nan), codes, texts, vectors)
        numbers = {sign: np.concatenate(parts) for sign, parts in self._numbers.items()}
        missing = {sign: int(np.isnan(values).sum()) for sign, values in numbers.items()}
        is_comma = missing[","] < missing["."] or (self._comma_is_likely and missing[","] == missing["."])
        return TargetValues(self.name, numbers["," if is_comma else "."], codes, texts)

    def _code(self, text: str | None) -> int:
        code = self._code_of.get(text)
        if code is None:
            code = len(self._code_of) - 1 if len(self._code_of) <= MAX_TEXTS else UNCODED
            if code != UNCODED:
                self._code_of[text] = code
        return code


def _rows_of_lists(name: str, values: Shaped[np.ndarray, " block"]) -> Float[np.ndarray, "block values"]:
    lengths = {len(value) for value in values if value is not None}
    if len(lengths) != 1:
        raise DataError(f"the target {name!r} has lists of {len(lengths)} different lengths; make them equal")
    return np.stack([np.full(max(lengths), np.nan) if value is None else value for value in values])
