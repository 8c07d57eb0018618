"""`pomona forecast`: what comes next, and how sure is that?"""

from typing import Annotated, Any

from pomona.cli.options import Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.find.forecasting.settings import ColumnOptions, ForecastSettings
from pomona.foundation.command import CommandOptions

SHOWN = ("mase", "rmsse", "smape", "wql", "coverage_80")


def forecast(
    data: str,
    *,
    columns: Annotated[ColumnOptions, Flat] = ColumnOptions(),
    settings: Annotated[ForecastSettings, Flat] = ForecastSettings(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Forecast many series at once, with a model to serve.

    Parameters
    ----------
    data
        A CSV or Parquet file, a row for each series and time or a column for each series; a folder of Parquet
        files; or tourism, prison, pbs, aus-retail, pedestrian, vic-elec or m5.
    """
    with answer(as_json=json) as reply:
        from pomona.find.forecasting.command import forecast_command

        result = forecast_command(data, columns, settings, options=options)
        table: list[tuple[Any, ...]] = [("", *SHOWN, "share")]
        for name, own in {
            **result["baselines"],
            **result["members"],
            "ensemble": result["validation"],
        }.items():
            share = 1.0 if name == "ensemble" else result["chosen"].get(name)
            table.append((name, *(own.get(score) for score in SHOWN), share))
        reply.give(
            result,
            [
                f"{result['series']} series, {result['freq']}, {result['horizon']} steps ahead; validation:",
                *rows(table),
                f"forecast  {result['forecast']}",
                f"artifact  {result['artifact']}",
                f"report    {result['report']}",
            ],
        )
