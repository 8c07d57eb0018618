"""Two stores of the M5 competition as one long table, made item by item: never all of it in memory.

Days before an item's first price are left out: it was not on sale. Days beyond the last sale have prices and
events but no value.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow
from pyarrow import parquet

from pomona.find.forecasting.reading.table import Table
from pomona.foundation.assets import fetch

SERIES_A_BATCH = 100
KEYS = ("item_id", "store_id", "dept_id", "cat_id")
NAMES = (*KEYS, "date", "sales", "price", "snap", "event", "event_ahead")


def m5_table(last_day: int = 1913, days_ahead: int = 28) -> Table:
    """The table; values end with `last_day`, rows without a value go on for `days_ahead`."""

    def read(columns: Sequence[str]) -> Iterator[pyarrow.RecordBatch]:
        for first in range(0, len(_sales()), SERIES_A_BATCH):
            yield _batch(first, last_day, last_day + days_ahead).select(list(columns))

    return Table("m5", NAMES, False, read)


@cache
def _sales() -> Any:
    table = parquet.read_table(fetch("m5/sales.parquet"))
    days = [name for name in table.column_names if name.startswith("d_")]
    values = np.stack([table.column(name).to_numpy() for name in days], axis=1).astype(np.float32)
    return _Sales({name: table.column(name).to_pylist() for name in KEYS}, values)


class _Sales:
    def __init__(self, keys: dict[str, list[str]], values: np.ndarray):
        self.keys = keys
        self.values = values

    def __len__(self) -> int:
        return len(self.values)


@cache
def _calendar() -> dict[str, np.ndarray]:
    table = parquet.read_table(fetch("m5/calendar.parquet"))
    event = np.array([name is not None for name in table.column("event_name_1").to_pylist()], np.float32)
    ahead = np.zeros_like(event)
    ahead[:-1] = event[1:]
    columns = {"event": event, "event_ahead": ahead}
    for state in ("CA", "TX"):
        columns[f"snap {state}"] = table.column(f"snap_{state}").to_numpy().astype(np.float32)
    weeks = table.column("wm_yr_wk").to_numpy()
    dates = np.array(table.column("date").to_pylist(), "datetime64[D]")
    return {**columns, "week": weeks, "date": dates}


@cache
def _prices() -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """(item, store) → its weeks, ascending, and their prices."""
    table = parquet.read_table(fetch("m5/sell_prices.parquet"))
    table = table.sort_by([("store_id", "ascending"), ("item_id", "ascending"), ("wm_yr_wk", "ascending")])
    items, stores = table.column("item_id").to_pylist(), table.column("store_id").to_pylist()
    weeks, prices = table.column("wm_yr_wk").to_numpy(), table.column("sell_price").to_numpy()
    found, begin = {}, 0
    for row in range(1, len(items) + 1):
        if row == len(items) or (items[row], stores[row]) != (items[begin], stores[begin]):
            found[items[begin], stores[begin]] = weeks[begin:row], prices[begin:row]
            begin = row
    return found


def _batch(first: int, last_day: int, end: int) -> pyarrow.RecordBatch:
    sales, calendar = _sales(), _calendar()
    parts: list[dict[str, Any]] = []
    for series in range(first, min(first + SERIES_A_BATCH, len(sales))):
        key = {name: sales.keys[name][series] for name in KEYS}
        weeks, prices = _prices()[key["item_id"], key["store_id"]]
        begin = int(np.searchsorted(calendar["week"], weeks[0]))
        days = np.arange(begin, end)
        values = np.full(len(days), np.nan, np.float32)
        values[: last_day - begin] = sales.values[series, begin:last_day]
        price = prices[np.clip(np.searchsorted(weeks, calendar["week"][days], side="right") - 1, 0, None)]
        snap = calendar[f"snap {key['store_id'][:2]}"][days]
        columns = {"date": calendar["date"][days], "sales": values, "price": price.astype(np.float32)}
        columns |= {
            "snap": snap,
            "event": calendar["event"][days],
            "event_ahead": calendar["event_ahead"][days],
        }
        parts.append({**columns, **key, "number": len(days)})
    arrays = {name: pyarrow.array(np.concatenate([part[name] for part in parts])) for name in NAMES[4:]}
    numbers = [part["number"] for part in parts]
    for name in KEYS:
        codes = pyarrow.array(np.repeat(np.arange(len(parts), dtype=np.int32), numbers))
        levels = pyarrow.array([part[name] for part in parts])
        arrays[name] = levels.take(codes)
    return pyarrow.record_batch({name: arrays[name] for name in NAMES})
