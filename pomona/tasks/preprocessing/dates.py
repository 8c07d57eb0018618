"""A column of dates becomes the time that went by and the place in the year, month, week and day."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from jaxtyping import Float, Shaped

from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.values import as_text

ISO = "iso"
FORMATS = (
    ISO,
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%b %d, %Y",
    "%d %b %Y",
    "%B %d, %Y",
    "%d %B %Y",
)
"""Tried in this order; day/month comes before month/day and wins where both can read all of training."""

SECONDS_A_DAY = 86400.0
CYCLES = ("year", "month", "week", "day")


def fit_dates(
    column: str,
    values: Shaped[np.ndarray, " batch"],
    *,
    output: str = "columns",
    formats: Sequence[str] | None = None,
) -> Step:
    """The step for a training column; parts that do not vary in training are left out."""
    formats = list(formats if formats is not None else date_formats(values) or [ISO])
    seconds = as_seconds(values, formats)
    present = seconds[~np.isnan(seconds)]
    center = float(present.mean()) if len(present) else 0.0
    scale = float(present.std()) if len(present) else 0.0
    phases = cycle_phases(present)
    settings = {
        "formats": formats,
        "center": center,
        "scale": scale if scale > 0 else SECONDS_A_DAY,
        "cycles": [name for name in CYCLES if len(present) and np.ptp(phases[name]) > 1e-6],
        "missing": bool(len(present) < len(seconds)),
    }
    return Step("dates", (column,), output, settings)


def apply_dates(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Rows of standardised time, sine and cosine of each cycle, and whether the date is missing; float32."""
    settings = step.settings
    seconds = as_seconds(raw[step.columns[0]], settings["formats"])
    missing = np.isnan(seconds)
    filled = np.where(missing, settings["center"], seconds)
    parts = [np.clip((filled - settings["center"]) / settings["scale"], -10, 10)]
    phases = cycle_phases(filled)
    for name in settings["cycles"]:
        parts += [np.sin(phases[name]) * ~missing, np.cos(phases[name]) * ~missing]
    if settings["missing"]:
        parts.append(missing)
    return {step.output: np.stack(parts, axis=1).astype(np.float32)}


def as_seconds(values: Shaped[np.ndarray, " batch"], formats: Sequence[str]) -> Float[np.ndarray, " batch"]:
    """Seconds since 1970 (UTC where no zone is told), NaN for what is missing or in none of the formats."""
    if values.dtype.kind == "M":
        missing = np.isnat(values)
        return np.where(missing, np.nan, values.astype("datetime64[us]").astype(np.int64) / 1e6)
    known: dict[str | None, float] = {None: np.nan}
    for text in as_text(values):
        if text not in known:
            known[text] = next((s for s in (_read(text, one) for one in formats) if not np.isnan(s)), np.nan)
    return np.array([known[text] for text in as_text(values)], np.float64)


def date_formats(values: Shaped[np.ndarray, " batch"]) -> list[str]:
    """The formats that together read the present values, as few as possible; none when a value is no date."""
    if values.dtype.kind == "M":
        return [ISO]
    left = {text for text in as_text(values) if text is not None}
    if not left or not any(len(text) >= 8 for text in left) or any(text.isdigit() for text in left):
        return []
    chosen = []
    while left:
        counts = {one: sum(not np.isnan(_read(text, one)) for text in left) for one in FORMATS}
        best = max(counts, key=lambda one: counts[one])
        if counts[best] == 0:
            return []
        chosen.append(best)
        left = {text for text in left if np.isnan(_read(text, best))}
    return chosen


def cycle_phases(seconds: Float[np.ndarray, " batch"]) -> dict[str, Float[np.ndarray, " batch"]]:
    """The angle of each moment in its year, month, week and day, in [0, 2π)."""
    moments = (seconds * 1e6).astype(np.int64).view("datetime64[us]")
    days = seconds / SECONDS_A_DAY
    turns = {
        "week": ((days + 3) / 7) % 1,
        "day": days % 1,
    }  # 1970-01-01 was a Thursday; weeks start on Monday
    for name, unit in (("year", "Y"), ("month", "M")):
        start = moments.astype(f"datetime64[{unit}]")
        first = start.astype("datetime64[us]").astype(np.int64)
        next_first = (start + 1).astype("datetime64[us]").astype(np.int64)
        turns[name] = (moments.astype(np.int64) - first) / (next_first - first)
    return {name: 2 * np.pi * turn for name, turn in turns.items()}


def _read(text: str, form: str) -> float:
    try:
        moment = datetime.fromisoformat(text) if form == ISO else datetime.strptime(text, form)
    except ValueError:
        return np.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
