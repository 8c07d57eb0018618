"""Forecasts as a table: a row for each series and step."""

from typing import Any

import numpy as np
import pyarrow

from pomona.find.forecasting.problem import QUANTILES, Forecast, Panel
from pomona.find.forecasting.reading.layout import Layout


def forecast_table(forecast: Forecast, panel: Panel, layout: Layout) -> pyarrow.Table:
    """Series, time, mean, quantiles q10 … q90 and, where it is said, how probable one that is not 0 is."""
    rows = np.repeat(np.arange(panel.num_series), panel.horizon)
    steps = (panel.ends[:, None] + np.arange(panel.horizon)).reshape(-1)
    columns: dict[str, Any] = {
        name: panel.keys.column(name).take(pyarrow.array(rows)) for name in layout.roles.series
    }
    columns[layout.roles.time] = layout.shown(steps)
    columns["mean"] = forecast.mean.reshape(-1).astype(np.float64)
    for place, level in enumerate(QUANTILES):
        columns[f"q{round(100 * level)}"] = forecast.quantiles[..., place].reshape(-1).astype(np.float64)
    if forecast.nonzero is not None:
        columns["nonzero"] = forecast.nonzero.reshape(-1).astype(np.float64)
    return pyarrow.table(columns)


def table_bytes(table: pyarrow.Table) -> bytes:
    """A Parquet file's content."""
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, sink)
    return sink.getvalue().to_pybytes()
