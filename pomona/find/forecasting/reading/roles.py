"""Which column is what: the time, the value, the names of the series, and what else is known."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pomona.find.forecasting.reading.table import Table
from pomona.foundation.errors import DataError, unknown_name

USUAL_TIME = ("ds", "date", "time", "timestamp", "datetime", "date_time", "month", "quarter", "week", "year")
USUAL_VALUE = ("y", "value", "target")
USUAL_SERIES = ("unique_id", "series", "series_id", "item_id", "id")


@dataclass(frozen=True)
class Roles:
    """Columns by what they mean. Without `series` the table holds one series."""

    time: str
    value: str
    series: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((*self.series, self.time, self.value, *self.known, *self.static)))

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "Roles":
        """What `to_json` wrote."""
        several = {name: tuple(plain[name]) for name in ("series", "known", "static")}
        return Roles(plain["time"], plain["value"], **several)


def find_roles(
    table: Table,
    *,
    time: str | None,
    value: str | None,
    series: Iterable[str] | None,
    known: Iterable[str] = (),
    static: Iterable[str] = (),
) -> Roles:
    """The user's own choice, filled up by the usual names. Raises DataError for a column that is no such."""
    named = {
        "time": time or _usual(table, USUAL_TIME),
        "value": value or _usual(table, USUAL_VALUE),
    }
    for role, column in named.items():
        if column is None:
            shown = ", ".join(table.names[:12])
            raise DataError(f"{table.label}: name the column of the {role} with --{role}; it has {shown}")
    if series is None:
        usual = _usual(table, USUAL_SERIES)
        series = (usual,) if usual and usual not in named.values() else ()
    roles = Roles(str(named["time"]), str(named["value"]), tuple(series), tuple(known), tuple(static))
    for column in roles.columns:
        if column not in table.names:
            raise DataError(f"{table.label}: {unknown_name('column', column, table.names)}")
    _check_once(roles)
    return roles


def _usual(table: Table, names: tuple[str, ...]) -> str | None:
    plain = {name.lower(): name for name in reversed(table.names)}
    return next((plain[name] for name in names if name in plain), None)


def _check_once(roles: Roles) -> None:
    given = [roles.time, roles.value, *roles.series, *roles.known]
    for column in given:
        if given.count(column) > 1:
            raise DataError(f"the column {column!r} was named for two purposes: name it once")
    for column in roles.static:
        if column in (roles.time, roles.value, *roles.known):
            raise DataError(f"the column {column!r} cannot be static and something else: name it once")
