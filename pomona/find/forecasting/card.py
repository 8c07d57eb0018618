"""The card of a forecaster: what a reader should know before using it."""

from pomona.find.forecasting.engine import ENSEMBLE, Found
from pomona.find.forecasting.problem import Panel
from pomona.find.forecasting.reading.layout import Layout
from pomona.foundation.version import version


def forecast_card(panel: Panel, layout: Layout, found: Found, *, subject: str) -> str:
    """Markdown: what is read and forecast, of what the forecast is made, and how good it was."""
    roles = layout.roles
    scores = "\n".join(
        f"| {name} | {value:.4g} |" for name, value in found.scores[ENSEMBLE].to_json().items()
    )
    shares = "\n".join(f"- {name}: {weight:.0%}" for name, weight in found.weights.items())
    columns = ", ".join(roles.columns)
    return (
        f"# {subject}: {panel.freq.name} forecasts, {panel.horizon} steps ahead\n\n"
        f"Made by Pomona {version()} from {panel.num_series} series.\n\n"
        f"## Reads\n\nA table with the columns {columns}; `pomona predict` forecasts the "
        f"{panel.horizon} steps after the last value of {roles.value} of each series.\n\n"
        f"## Made of\n\n{shares}\n\n"
        f"## Scores on {len(found.origins.cuts)} validation windows\n\n"
        f"| metric | value |\n|---|---|\n{scores}\n\n"
        "## Remarks\n\nWeights and the calibration of the quantiles were chosen on the same windows: new "
        "data may be forecast a little worse.\n"
    )
