"""Columns of times as seconds: time stamps, dates, text in the usual spellings, years and numbers."""

import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow
import pyarrow.compute
from jaxtyping import Int64

from pomona.foundation.errors import DataError

MISSING = np.iinfo(np.int64).min
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_QUARTER = re.compile(r"(\d{4})[\s-]*Q([1-4])", re.IGNORECASE)
_MONTH = re.compile(
    r"(?P<year>\d{4})[\s-]*(?P<name>[A-Za-z]{3})[a-z]*"
    r"|(?P<last_name>[A-Za-z]{3})[a-z]*[\s.-]*(?P<last_year>\d{4})"
    r"|(?P<plain_year>\d{4})[-/](?P<month>\d{1,2})"
)
_WEEK = re.compile(r"(\d{4})[\s-]*W(\d{1,2})", re.IGNORECASE)
_DAY_FIRST = re.compile(
    r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*([AP])\.?M\.?)?)?",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"(-?\d+)(?:\.0*)?")


@dataclass(frozen=True)
class TimeForm:
    """How a column says its times: numbers, years, dates, or time stamps with or without an offset to UTC."""

    kind: Literal["number", "year", "date", "stamp"]
    is_utc: bool = False
    zone: str | None = None
    """The zone of a typed column, in which its times are shown again."""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"kind": self.kind, "is_utc": self.is_utc, "zone": self.zone}


def seconds_of(column: pyarrow.Array, name: str) -> tuple[Int64[np.ndarray, " row"], TimeForm]:
    """Seconds since 1970 of each cell and how the column is written; numbers stay numbers.

    Of times with an offset or a zone they are UTC, of others as the wall clock shows them. Raises DataError
    for a missing or an unreadable time, with the cell.
    """
    if column.null_count:
        raise DataError(f"the time column {name!r} has {column.null_count} empty cells: remove these rows")
    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_date(kind):
        stamps = column.cast(pyarrow.timestamp("s", getattr(kind, "tz", None)), safe=False)
        form = TimeForm("date" if pyarrow.types.is_date(kind) else "stamp", kind_has_zone(kind))
        return _numbers(stamps.cast(pyarrow.int64())), TimeForm(
            form.kind, form.is_utc, getattr(kind, "tz", None)
        )
    if pyarrow.types.is_integer(kind):
        return _whole(_numbers(column.cast(pyarrow.int64())))
    if pyarrow.types.is_floating(kind):
        return _whole(_whole_numbers(column, name))
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        return _of_text(column, name)
    raise DataError(f"the time column {name!r} holds {kind}: give dates, time stamps, text or whole numbers")


def kind_has_zone(kind: pyarrow.DataType) -> bool:
    """Whether a type of time stamps names a zone."""
    return getattr(kind, "tz", None) is not None


def _whole(numbers: Int64[np.ndarray, " row"]) -> tuple[Int64[np.ndarray, " row"], TimeForm]:
    # whole numbers that could all be years of the calendar are taken as such
    if len(numbers) and numbers.min() >= 1700 and numbers.max() <= 2200:
        return _of_months(numbers * 12), TimeForm("year")
    return numbers, TimeForm("number")


def _whole_numbers(column: pyarrow.Array, name: str) -> Int64[np.ndarray, " row"]:
    # a column of years that once had a gap is one of floats
    values = column.to_numpy(zero_copy_only=False)
    wrong = values[values != np.round(values)]
    if len(wrong):
        raise DataError(f"the time column {name!r} has {wrong[0]}: give dates, time stamps or whole numbers")
    return values.astype(np.int64)


def _of_text(column: pyarrow.Array, name: str) -> tuple[Int64[np.ndarray, " row"], TimeForm]:
    coded = column.dictionary_encode()
    texts = [text.strip() for text in coded.dictionary.to_pylist()]
    if "" in texts:
        raise DataError(f"the time column {name!r} has empty cells: remove these rows")
    seconds, form = _parse(texts, name)
    return seconds[coded.indices.to_numpy()], form


def _parse(texts: list[str], name: str) -> tuple[Int64[np.ndarray, " text"], TimeForm]:
    if not texts:
        return np.zeros(0, np.int64), TimeForm("stamp")
    first = texts[0]
    if _WHOLE.fullmatch(first) and not re.fullmatch(r"\d{8}", first):
        return _whole(np.array([_number(text, name) for text in texts], np.int64))
    for pattern, months in ((_QUARTER, _quarter), (_WEEK, None), (_MONTH, _month)):
        if pattern.fullmatch(first):
            found = [pattern.fullmatch(text) for text in texts]
            _check_all(found, texts, name)
            if months is None:
                return np.array([_week(match) for match in found], np.int64), TimeForm("date")
            return _of_months(np.array([months(match) for match in found])), TimeForm("date")
    if _DAY_FIRST.fullmatch(first):
        return _of_days(texts, name)
    return _of_iso(texts, name)


def _of_iso(texts: list[str], name: str) -> tuple[Int64[np.ndarray, " text"], TimeForm]:
    if all(re.fullmatch(r"\d{8}", text) for text in texts):
        texts = [f"{text[:4]}-{text[4:6]}-{text[6:]}" for text in texts]
    texts = [text.replace("/", "-") for text in texts]
    is_utc = bool(re.search(r"(Z|[+-]\d{2}:?\d{2})$", texts[0][10:]))
    kind = pyarrow.timestamp("us", "UTC" if is_utc else None)
    try:
        stamps = pyarrow.array(texts).cast(kind)
    except pyarrow.ArrowInvalid:
        bad = next((text for text in texts if not _is_readable(text, kind)), texts[0])
        raise DataError(
            f"the time column {name!r} has {bad!r} beside {texts[0]!r}: write all times alike, "
            "such as 2024-01-31, 2024-01-31 13:30, 2024-01-31T13:30Z, 2024 Q1 or 2024 Jan"
        ) from None
    form = TimeForm("date" if all(len(text) == 10 for text in texts) else "stamp", is_utc)
    return _numbers(stamps.cast(pyarrow.int64())) // 1_000_000, form


def _of_days(texts: list[str], name: str) -> tuple[Int64[np.ndarray, " text"], TimeForm]:
    found = [_DAY_FIRST.fullmatch(text) for text in texts]
    _check_all(found, texts, name)
    parts = np.array([[int(part or 0) for part in match.groups()[:6]] for match in found if match])
    halves = np.array([(match[7] or "").upper() for match in found if match])
    first, second = parts[:, 0].max() > 12, parts[:, 1].max() > 12
    if first == second:
        raise DataError(
            f"the time column {name!r} has dates such as {texts[0]!r}, in which day and month cannot be told "
            "apart: write them as 2024-01-31"
        )
    day, month = (parts[:, 0], parts[:, 1]) if first else (parts[:, 1], parts[:, 0])
    months = _of_months(parts[:, 2] * 12 + month - 1)
    # twelve is the first hour of each half of a day
    hours = np.where(halves == "", parts[:, 3], parts[:, 3] % 12 + 12 * (halves == "P"))
    clock = hours * 3600 + parts[:, 4] * 60 + parts[:, 5]
    return months + (day - 1) * 86400 + clock, TimeForm("stamp" if clock.any() else "date")


def _is_readable(text: str, kind: pyarrow.DataType) -> bool:
    try:
        pyarrow.array([text]).cast(kind)
    except pyarrow.ArrowInvalid:
        return False
    return True


def _check_all(found: list[re.Match[str] | None], texts: list[str], name: str) -> None:
    for match, text in zip(found, texts, strict=True):
        if match is None:
            raise DataError(
                f"the time column {name!r} has {text!r} beside {texts[0]!r}: write all times alike"
            )


def _number(text: str, name: str) -> int:
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise DataError(f"the time column {name!r} has {text!r} among whole numbers: write all times alike")
    return int(found[1])


def _quarter(match: Any) -> int:
    return int(match[1]) * 12 + 3 * (int(match[2]) - 1)


def _month(match: Any) -> int:
    if match["month"]:
        return int(match["plain_year"]) * 12 + int(match["month"]) - 1
    name = match["name"] or match["last_name"]
    if name.lower() not in _MONTHS:
        raise DataError(f"no month is called {name!r}: use the first three letters of its English name")
    return int(match["year"] or match["last_year"]) * 12 + _MONTHS.index(name.lower())


def _week(match: Any) -> int:
    from datetime import UTC, datetime

    monday = datetime.fromisocalendar(int(match[1]), int(match[2]), 1).replace(tzinfo=UTC)
    return int(monday.timestamp())


def _of_months(months: np.ndarray) -> Int64[np.ndarray, " text"]:
    """Seconds of the beginning of months counted from the year 0."""
    return (months - 1970 * 12).astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)


def _numbers(column: pyarrow.Array) -> Int64[np.ndarray, " row"]:
    return column.to_numpy(zero_copy_only=False).astype(np.int64)
