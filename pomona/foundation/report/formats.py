"""Numbers as people read them: a fixed number of digits a column, thin spaces, units of time and size."""

import math
from collections.abc import Iterable

from pomona.foundation.report.items import Cell, Format

MISSING = "–"
THIN_SPACE = "\u202f"


def show(value: Cell, format: Format = "auto", *, decimals: int | None = None) -> str:
    """`value` as text; `decimals` fixes the digits behind the point, None takes up to four significant ones.

    >>> show(0.98765), show(-3), show(1.2e-7), show(None)
    ('0.9877', '−3', '1.2×10⁻⁷', '–')
    """
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    text = _number(float(value), format, decimals)
    return text.replace("-", "−")


def common_decimals(values: Iterable[Cell], format: Format = "auto") -> int | None:
    """Digits behind the point that suit all numbers of a column; None where each needs its own."""
    if format not in ("auto", "number", "percent"):
        return None
    numbers = [
        abs(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
    ]
    numbers = [100 * v if format == "percent" else v for v in numbers]
    filled = [v for v in numbers if v]
    if format != "percent" and all(float(v).is_integer() for v in numbers):
        return 0
    if not filled:
        return 0
    if format == "percent":
        return 2
    if max(filled) / min(filled) > 1000:
        return None
    most = _significant_decimals(max(filled))
    return next((d for d in range(most) if all(abs(v - round(v, d)) < 1e-9 for v in filled)), most)


def _number(value: float, format: Format, decimals: int | None) -> str:
    if not math.isfinite(value):
        return MISSING
    if format == "percent":
        return f"{_grouped(100 * value, 2 if decimals is None else decimals)}{THIN_SPACE}%"
    if format == "seconds":
        return _seconds(value)
    if format == "bytes":
        return _bytes(value)
    if format == "integer":
        return _grouped(value, 0)
    if decimals is not None:
        return _grouped(value, decimals)
    if value and not 1e-4 <= abs(value) < 1e15:
        return _scientific(value)
    return _grouped(value, common_decimals((value,)) or 0)


def _grouped(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    if "," in text and abs(value) < 10_000:
        text = text.replace(",", "")
    # a rounded zero has no sign
    text = text.lstrip("-") if not text.strip("-0.") else text
    return text.replace(",", THIN_SPACE)


def _significant_decimals(value: float) -> int:
    return min(max(3 - math.floor(math.log10(abs(value))), 0), 6)


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.2e}".split("e")
    digits = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa.rstrip('0').rstrip('.')}×10{digits}"


def _seconds(value: float) -> str:
    size = abs(value)
    if not size:
        return f"0{THIN_SPACE}s"
    if size < 1e-3:
        return f"{value * 1e6:.3g}{THIN_SPACE}µs"
    if size < 1:
        return f"{value * 1e3:.3g}{THIN_SPACE}ms"
    if size < 59.95:
        return f"{value:.1f}{THIN_SPACE}s"
    minutes, seconds = divmod(round(size), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if value < 0 else ""
    if hours:
        return f"{sign}{hours}{THIN_SPACE}h {minutes}{THIN_SPACE}min"
    return f"{sign}{minutes}{THIN_SPACE}min {seconds}{THIN_SPACE}s"


def _bytes(value: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= 0.9995 * scale:
            return f"{value / scale:.3g}{THIN_SPACE}{unit}"
    return f"{value:.0f}{THIN_SPACE}B"
