"""The models that no other beats in all objectives."""

from collections.abc import Sequence
from typing import Any

from pomona.find.search.pareto import Unbeaten
from pomona.find.search.sections.tradeoff import pareto_front
from pomona.find.search.yardstick import Yardstick
from pomona.fit.sections.scores import score_format
from pomona.foundation.report import scatter, table, text

UNITS = {"latency": "ms", "parameters": "", "flops": ""}
FORMATS = {"latency": "number", "parameters": "integer", "flops": "integer"}


def pareto_section(models: Sequence[Unbeaten], yardstick: Yardstick) -> list[dict[str, Any]]:
    """The items of the section: a table of the models, and their score against every other objective."""
    if not models:
        return []
    metric, form = yardstick.metric, score_format(yardstick.metric)
    costs = [name for name in models[0].values if name != "score"]
    columns: list[Any] = ["trial", (f"expected {metric}", form), ("from", form), ("to", form)]
    columns += [(name, FORMATS[name], UNITS[name]) for name in costs]
    rows = [
        [
            str(model.standing.trial),
            model.values["score"],
            *(model.standing.interval or (None, None)),
            *(model.values[name] for name in costs),
        ]
        for model in models
    ]
    said = (
        "No other model of the search is at least as good as one of these in every objective and better in "
        "one. Scores are what is expected on validation, the luck of single trainings taken off."
    )
    return [text(said), table(columns, rows), *(_against(models, name, yardstick) for name in costs)]


def _against(models: Sequence[Unbeaten], cost: str, yardstick: Yardstick) -> dict[str, Any]:
    metric, form = yardstick.metric, score_format(yardstick.metric)
    sign = 1.0 if yardstick.greater_is_better else -1.0
    points = [
        (model.values[cost], model.values["score"], str(model.standing.trial))
        for model in sorted(models, key=lambda model: model.values[cost])
    ]
    label = f"{cost}, {UNITS[cost]}" if UNITS[cost] else cost
    is_wide = points[0][0] > 0 and points[-1][0] > 10 * points[0][0]
    front = pareto_front([x for x, _, _ in points], [sign * y for _, y, _ in points])
    names = [points[place][2] for place in front]
    return scatter(points, label, f"expected {metric}", front=names, x_log=is_wide, y_format=form)
