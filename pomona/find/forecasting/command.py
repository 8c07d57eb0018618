"""`forecast` as a command: a table of series in, forecasts, a model and a report out."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from pomona.find.forecasting.card import forecast_card
from pomona.find.forecasting.engine import ENSEMBLE, Found, find_forecast
from pomona.find.forecasting.frames import like_input
from pomona.find.forecasting.members.table import MEDIAN, MEMBERS
from pomona.find.forecasting.output import forecast_table, table_bytes
from pomona.find.forecasting.predictor import save_forecaster
from pomona.find.forecasting.problem import Panel
from pomona.find.forecasting.reading.findings import check_known
from pomona.find.forecasting.reading.panel import Reading, read_panel
from pomona.find.forecasting.reconcile import hierarchy_columns, hierarchy_of, with_sums
from pomona.find.forecasting.sections import write_forecast_sections
from pomona.find.forecasting.sets.table import SETS
from pomona.find.forecasting.settings import ColumnOptions, ForecastSettings
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import unknown_name
from pomona.foundation.files import write_bytes
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report
from pomona.foundation.run import Run

FORECAST_FILE = "forecast.parquet"


def forecast(data: Any, **keywords: Any) -> Any:
    """The forecast of a table of series: the same as `pomona forecast`, for data frames too.

    A pandas or polars frame, in Nixtla's columns (unique_id, ds, y) or with names of its own, gives a
    frame of that kind; a path gives what `--json` prints. Keywords are the fields of ColumnOptions,
    ForecastSettings and CommandOptions. Raises InputError when one of them is wrong.

    >>> pomona.forecast(frame, horizon=12)  # doctest: +SKIP
    """
    columns, settings, options = split_keywords(keywords, ColumnOptions, ForecastSettings, CommandOptions)
    result = forecast_command(data, columns, settings, options=options)
    if isinstance(data, str | Path):
        return result
    from pyarrow import parquet

    return like_input(parquet.read_table(result["forecast"]), data)


def forecast_command(
    data: Any, columns: ColumnOptions, settings: ForecastSettings, *, options: CommandOptions
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    reading = read_subject(data, columns, settings)
    check_known(reading.panel)
    if settings.hierarchy:
        hierarchy_columns(settings.hierarchy, reading.layout.roles.series)
    subject = str(data) if isinstance(data, str | Path) else "frame"
    identity = {**asdict(columns), **asdict(settings), "data": fingerprint(reading.panel)}

    def method(run: Run) -> Mapping[str, Any]:
        return carry_forecast(reading, settings, run=run, subject=subject)

    return carry_out(method, verb="forecast", subject=subject, identity=identity, options=options)


def read_subject(data: Any, columns: ColumnOptions, settings: ForecastSettings) -> Reading:
    """The panel of a built-in set, a file or a frame."""
    name = data.lower().replace("_", "-") if isinstance(data, str) else ""
    if name not in SETS:
        if name and not Path(name).suffix and not Path(data).expanduser().exists():
            raise unknown_name("file or set of series", data, SETS)
        return read_panel(data, columns, settings)
    own = SETS[name]
    given = {name: value for name, value in asdict(columns).items() if value}
    settings = replace(settings, horizon=settings.horizon or own.horizon)
    return read_panel(own.table(), ColumnOptions(**{**asdict(own.columns), **given}), settings)


def carry_forecast(reading: Reading, settings: ForecastSettings, *, run: Run, subject: str) -> dict[str, Any]:
    """Finds the forecast and writes the table, the artifact and the report; what `--json` prints."""
    panel, layout = reading.panel, reading.layout
    hierarchy = None
    if settings.hierarchy:
        hierarchy = hierarchy_of(panel.keys, hierarchy_columns(settings.hierarchy, layout.roles.series))
        panel = with_sums(panel, hierarchy)
    found = find_forecast(panel, settings, run=run, hierarchy=hierarchy)
    write_bytes(run.folder / FORECAST_FILE, table_bytes(forecast_table(found.forecast, panel, layout)))
    rated = {name: own.to_json() for name, own in found.scores.items()}
    card = forecast_card(panel, layout, found, subject=subject)
    metrics = {"validation": rated[ENSEMBLE], "members": rated}
    name = Path(subject).stem or "series"
    artifact = save_forecaster(
        run.folder / "artifact", panel, layout, found, settings, name=name, card=card, metrics=metrics
    )
    notes = (*reading.notes, *found.notes)
    for folder in (run.folder, artifact):
        write_forecast_sections(folder, panel, found, notes)
        write_report(folder)
    return _result(panel, found, rated, notes, run.clock.spent())


def fingerprint(panel: Panel) -> str:
    """Sixteen hex digits of everything in a panel."""
    digest = hashlib.sha256()
    for name in panel.keys.column_names:
        digest.update("\0".join(map(str, panel.keys.column(name).to_pylist())).encode())
    for array in (panel.offsets, panel.start, panel.values, *panel.known.values(), *panel.static.values()):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(f"{panel.freq}{panel.origin}{panel.horizon}".encode())
    return digest.hexdigest()[:16]


def _result(
    panel: Panel, found: Found, rated: dict[str, dict[str, float]], notes: tuple[str, ...], seconds: float
) -> dict[str, Any]:
    simple = [name for name, member in MEMBERS.items() if member.is_baseline and name in rated]
    simple += [MEDIAN] if MEDIAN in rated else []
    return {
        "series": panel.num_series,
        "horizon": panel.horizon,
        "freq": panel.freq.name,
        "validation": rated[ENSEMBLE],
        "baselines": {name: rated[name] for name in simple},
        "chosen": dict(found.weights),
        "members": {n: own for n, own in rated.items() if n not in simple and n != ENSEMBLE},
        "notes": list(notes),
        "seconds": round(seconds, 1),
        "artifact": "artifact",
        "forecast": FORECAST_FILE,
        "report": "report.html",
    }
