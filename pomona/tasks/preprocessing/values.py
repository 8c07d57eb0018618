"""Lenient readings of a column: as numbers or as text, whatever type the user's table gave it."""

import math
import re
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Shaped

Decimal = Literal[".", ","]

MISSING_WORDS = frozenset(
    ["", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none", "nil", "nat", "#value!", "#div/0!"]
    + [sign + word for sign in ("", "+", "-") for word in ("inf", "infinity")]
)
MANY = 1000
"""From this many values on, it pays to try Arrow's parser first."""
_GROUPED = {  # whole numbers in groups of three, and the decimal sign that goes with the grouping
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(?:[,\u00a0\u202f ’']\d{3})+(?:\.\d*)?(?:[eE][+-]?\d+)?"),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(?:[.\u00a0\u202f ’']\d{3})+(?:,\d*)?(?:[eE][+-]?\d+)?"),
}
_WHOLE = re.compile(r"-?\d+\.0+")
_GROUP_SIGNS = re.compile(r"[\u00a0\u202f ’']")
_AROUND = re.compile(r"^[€$£¥]\s*|\s*[€$£¥%]$")


def as_numbers(values: Shaped[np.ndarray, " batch"], decimal: Decimal = ".") -> Float[np.ndarray, " batch"]:
    """The values as float64; what is missing, infinite or no number is NaN.

    Text may hold groups of thousands, a currency sign or a percent sign ("$1,234.50", "12 %" is 12).
    """
    if values.dtype.kind in "buif":
        numbers = values.astype(np.float64)
    elif values.dtype.kind in "mM":
        return np.full(len(values), np.nan)
    else:
        numbers = _numbers_of_objects(values, decimal)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def as_text(values: Shaped[np.ndarray, " batch"]) -> Shaped[np.ndarray, " batch"]:
    """The values as str or, where missing, None (an object array).

    Equal values give equal text whatever their type: 3, 3.0, "3" and "3.0" are "3"; True and "TRUE" are
    "true".
    """
    if values.dtype.kind in "mM":
        return _objects([None if np.isnat(value) else str(value) for value in values])
    known: dict[Any, str | None] = {}
    texts = []
    for value in values.tolist():
        try:
            text = known[value, type(value)]
        except KeyError:
            text = known[value, type(value)] = text_of(value)
        except TypeError:  # a list or another value that cannot be a key
            text = text_of(value)
        texts.append(text)
    return _objects(texts)


def text_of(value: Any) -> str | None:
    """One value as text, None when it is missing.

    >>> text_of(3.0), text_of(" TRUE "), text_of("n/a")
    ('3', 'true', None)
    """
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        if not math.isfinite(value):
            return None
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = "" if value is None else str(value).strip()
    lower = text.lower()
    if lower in MISSING_WORDS:
        return None
    if text.endswith("0") and _WHOLE.fullmatch(text):
        return text.partition(".")[0]
    return lower if lower in ("true", "false") else text


def number_of(text: str, decimal: Decimal = ".") -> float:
    """One text as a number, NaN when it is none.

    >>> number_of("1,234.5"), number_of("1.234,5", ","), number_of("$12"), number_of("many")
    (1234.5, 1234.5, 12.0, nan)
    """
    if decimal == "." and (number := _plain_number(text)) is not None:
        return number
    text = _AROUND.sub("", text.strip())
    if _GROUPED[decimal].fullmatch(text):
        text = _GROUP_SIGNS.sub("", text.replace("." if decimal == "," else ",", ""))
    if decimal == ",":
        text = text.replace(",", ".", 1)
    number = _plain_number(text)
    return math.nan if number is None else number


def _plain_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def decimal_sign(texts: Shaped[np.ndarray, " batch"], *, comma_is_likely: bool = False) -> Decimal:
    """The decimal sign with which more of the texts are numbers; "." when none has a comma."""
    if not any("," in text for text in texts if text is not None):
        return "."
    missing = {sign: int(np.isnan(as_numbers(texts, sign)).sum()) for sign in (".", ",")}
    return "," if missing[","] < missing["."] + comma_is_likely else "."


def _numbers_of_objects(values: np.ndarray, decimal: Decimal) -> Float[np.ndarray, " batch"]:
    if decimal == "." and (numbers := _plain_numbers(values)) is not None:
        return numbers
    known: dict[str, float] = {}
    numbers = np.empty(len(values))
    for index, value in enumerate(values.tolist()):
        if isinstance(value, str):
            if value not in known:
                known[value] = number_of(value, decimal)
            numbers[index] = known[value]
        else:
            numbers[index] = _number_of_object(value)
    return numbers


def _plain_numbers(values: np.ndarray) -> Float[np.ndarray, " batch"] | None:
    """The same all at once, ten times as fast; None unless all values are plain numbers or missing."""
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        if len(values) < MANY:
            return None
    import pyarrow
    import pyarrow.compute

    compute: Any = pyarrow.compute  # its functions are made at run time, unseen by type checkers
    try:
        texts = pyarrow.array(values, pyarrow.string())
        empty = compute.is_in(texts, pyarrow.array(["", "NA", "NaN", "nan", "null", "None"]))
        present = compute.if_else(empty, None, texts)
        return present.cast(pyarrow.float64()).to_numpy(zero_copy_only=False)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return None


def _number_of_object(value: Any) -> float:
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError):
        return math.nan


def _objects(values: list[Any]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array
