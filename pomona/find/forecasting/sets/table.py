"""The built-in sets by name: where their table is, and which of its columns is what."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pomona.find.forecasting.settings import ColumnOptions


@dataclass(frozen=True)
class Series:
    """One set. Columns and a horizon that the user gives go before these."""

    what: str
    table: Callable[[], Any]
    """Gives what the reader takes: a path or a Table."""
    columns: ColumnOptions
    horizon: int
    hierarchy: str | None = None
    """The hierarchy that the set is known for."""


def _asset(name: str) -> Callable[[], Any]:
    def fetched() -> Any:
        from pomona.foundation.assets import fetch

        return fetch(name)

    return fetched


def _m5() -> Any:
    from pomona.find.forecasting.sets.m5 import m5_table

    return m5_table()


SETS: dict[str, Series] = {
    "tourism": Series(
        "overnight trips by region and purpose, quarterly",
        _asset("fpp3/tourism.csv"),
        ColumnOptions("Quarter", "Trips", ("State", "Region", "Purpose")),
        8,
        "State/Region/Purpose",
    ),
    "prison": Series(
        "prisoners by state, gender and status, quarterly",
        _asset("fpp3/prison.csv"),
        ColumnOptions("Quarter", "Count", ("State", "Gender", "Legal", "Indigenous")),
        8,
        "State/Gender/Legal/Indigenous",
    ),
    "pbs": Series(
        "scripts of medicines, monthly",
        _asset("fpp3/PBS.csv"),
        ColumnOptions("Month", "Scripts", ("Concession", "Type", "ATC1", "ATC2")),
        12,
    ),
    "aus-retail": Series(
        "retail turnover by state and industry, monthly",
        _asset("fpp3/aus_retail.csv"),
        ColumnOptions("Month", "Turnover", ("State", "Industry")),
        12,
    ),
    "pedestrian": Series(
        "pedestrians at four places, hourly",
        _asset("fpp3/pedestrian.csv"),
        ColumnOptions("Date_Time", "Count", ("Sensor",), timezone="Australia/Melbourne"),
        48,
    ),
    "vic-elec": Series(
        "demand for electricity, half-hourly",
        _asset("fpp3/vic_elec.csv"),
        ColumnOptions("Time", "Demand", timezone="Australia/Melbourne"),
        48,
    ),
    "m5": Series(
        "units sold of 3,049 items in two stores, daily, with prices and events",
        _m5,
        ColumnOptions(
            "date",
            "sales",
            ("item_id", "store_id"),
            ("price", "snap", "event", "event_ahead"),
            ("dept_id", "cat_id"),
        ),
        28,
    ),
}
