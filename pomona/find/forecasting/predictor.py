"""A saved forecaster: reads new data as it read the first, and forecasts what comes after them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow

from pomona.find.forecasting.combining import for_newcomers
from pomona.find.forecasting.conformal import Correction
from pomona.find.forecasting.engine import Found, forecast_with, never_below_zero, traits_of
from pomona.find.forecasting.frames import like_input
from pomona.find.forecasting.memory import joined, remembered
from pomona.find.forecasting.output import forecast_table, table_bytes
from pomona.find.forecasting.problem import Forecast, Panel, Params
from pomona.find.forecasting.reading.findings import check_known
from pomona.find.forecasting.reading.layout import Layout
from pomona.find.forecasting.reading.panel import read_like
from pomona.find.forecasting.reconcile import (
    Hierarchy,
    errors_of,
    hierarchy_columns,
    hierarchy_of,
    reconciled,
    with_sums,
)
from pomona.find.forecasting.settings import ForecastSettings
from pomona.find.forecasting.storing import forecasts_bytes, params_files, read_forecasts, read_params
from pomona.foundation.artifact import Artifact, write_artifact
from pomona.foundation.errors import SpecError
from pomona.tasks.batch import Batch

MEMORY, KEYS, SAID = "memory", "keys.parquet", "forecast.safetensors"


@dataclass(frozen=True)
class Forecaster:
    """A saved forecast's members, with what is remembered of their series."""

    artifact: Artifact
    layout: Layout
    params: Mapping[str, Params]
    memory: Panel
    said: Forecast
    """The forecast that was made when the artifact was."""
    errors: np.ndarray | None = None
    """Of a hierarchy: variances or the covariance of errors."""

    @property
    def kind(self) -> str:
        """Kind of predictor."""
        return self.artifact.kind

    @property
    def card(self) -> str:
        """What a reader should know of the model, in Markdown."""
        return self.artifact.card

    @property
    def metrics(self) -> Mapping[str, Any]:
        """What was measured when the model was made."""
        return self.artifact.metrics

    def predict(self, data: Any) -> Any:
        """The forecast table of new data: a pandas or polars frame for such, an Arrow table for a path.

        >>> pomona.load("runs/forecast-sales/artifact").predict(frame)  # doctest: +SKIP
        """
        return like_input(self.table(data), data)

    def table(self, data: Any) -> pyarrow.Table:
        """Series, time, mean and quantiles of the steps after the last value of each series in `data`."""
        reading = read_like(data, self.layout, int(self.memory.ends.max()))
        new, hierarchy = reading.panel, None
        if self.errors is not None:
            columns = hierarchy_columns(self.artifact.settings["hierarchy"], self.layout.roles.series)
            hierarchy = hierarchy_of(new.keys, columns)
            new = with_sums(new, hierarchy)
        panel = joined(self.memory, new, self._positions(new.keys))
        check_known(panel)
        return forecast_table(self.forecast(panel, hierarchy), panel, reading.layout)

    def forecast(self, panel: Panel, hierarchy: Hierarchy | None = None) -> Forecast:
        """The forecast of a panel on the clock that the model was made with; with a hierarchy it adds up."""
        settings = self.artifact.settings
        correction = Correction.from_json(settings["correction"])
        found = forecast_with(self.params, settings["weights"], correction, panel, panel.ends)
        is_new = panel.lengths == 0
        if is_new.any():
            found = for_newcomers(found, is_new, traits_of(panel), self.said, traits_of(self.memory))
        if hierarchy is not None and self.errors is not None:
            errors, is_positive = errors_of(self.errors, panel.fitted_as), never_below_zero(panel)
            found = reconciled(found, hierarchy, errors, is_nonnegative=is_positive)
        return found

    def exportable(self) -> tuple[Any, Batch]:
        """A torch module that says the same of series with a history, and an example of what it reads.

        Raises SpecError, naming the member, when one of the forecast is no network, and for a hierarchy.
        """
        from pomona.find.forecasting.networks.exporting import exportable

        if self.errors is not None:
            raise SpecError("no ONNX file can carry the hierarchy: forecast again without --hierarchy")
        correction = Correction.from_json(self.artifact.settings["correction"])
        return exportable(self.params, self.artifact.settings["weights"], correction, self.memory)

    def _positions(self, keys: pyarrow.Table) -> np.ndarray:
        old = {key: place for place, key in enumerate(_rows(self.memory.keys))}
        return np.array([old.get(key, -1) for key in _rows(keys)], np.int64)


def save_forecaster(
    folder: Path,
    panel: Panel,
    layout: Layout,
    found: Found,
    given: ForecastSettings,
    *,
    name: str,
    card: str,
    metrics: Mapping[str, Any],
) -> Path:
    """Writes what was found as an artifact; returns the folder."""
    from safetensors.numpy import save

    memory = remembered(panel)
    arrays = {"offsets": memory.offsets, "start": memory.start, "values": memory.values}
    arrays |= {f"known/{column}": values for column, values in memory.known.items()}
    arrays |= {f"static/{column}": values for column, values in memory.static.items()}
    if found.errors is not None:
        arrays["errors"] = found.errors
    files = {
        f"{MEMORY}.safetensors": save({n: np.ascontiguousarray(a) for n, a in arrays.items()}),
        KEYS: table_bytes(panel.keys),
        SAID: forecasts_bytes([found.forecast]),
    }
    for member, params in found.params.items():
        files |= {f"members/{member}/{file}": content for file, content in params_files(params).items()}
    artifact = Artifact(
        kind="forecaster",
        task_name=name,
        task_kind="forecast",
        inputs={},
        targets={},
        settings={
            "layout": layout.to_json(),
            "weights": dict(found.weights),
            "correction": found.correction.to_json(),
            "members": list(found.params),
            "categories": {column: list(own) for column, own in panel.levels.items()},
            "zone": panel.zone,
            "hierarchy": given.hierarchy,
        },
        card=card,
        metrics=metrics,
    )
    return write_artifact(folder, artifact, files=files)


def load_forecaster(folder: Path, artifact: Artifact, *, blocks: str | Path | None = None) -> Forecaster:
    """The forecaster in an artifact's folder."""
    from pyarrow import parquet
    from safetensors.numpy import load_file

    settings, arrays = artifact.settings, load_file(folder / f"{MEMORY}.safetensors")
    layout = Layout.from_json(settings["layout"])
    memory = Panel(
        keys=parquet.read_table(folder / KEYS),
        offsets=arrays["offsets"],
        start=arrays["start"],
        values=arrays["values"],
        freq=layout.freq,
        origin=layout.origin,
        horizon=layout.horizon,
        zone=settings["zone"],
        known=_part(arrays, "known/"),
        static=_part(arrays, "static/"),
        levels={name: tuple(own) for name, own in settings["categories"].items()},
    )
    params = {name: read_params(folder / "members" / name) for name in settings["members"]}
    (said,) = read_forecasts(folder / SAID)
    return Forecaster(artifact, layout, params, memory, said, arrays.get("errors"))


def _part(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _rows(keys: pyarrow.Table) -> list[tuple[str, ...]]:
    columns = [keys.column(name).cast(pyarrow.string()).to_pylist() for name in keys.column_names]
    return list(zip(*columns, strict=True))
