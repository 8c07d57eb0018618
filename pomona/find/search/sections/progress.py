"""How the search went on."""

from collections.abc import Sequence
from typing import Any

from pomona.find.search.leaders import is_reevaluation
from pomona.find.search.yardstick import Yardstick
from pomona.fit.sections.scores import score_format
from pomona.fit.trials.trial import Trial
from pomona.foundation.report import line, scatter, series


def progress_section(trials: Sequence[Trial], yardstick: Yardstick) -> list[dict[str, Any]]:
    """The items of the section: the best validation score so far, and every trial, against trials."""
    metric = yardstick.metric
    scored = [(t.number, float(t.values[metric]), t) for t in trials if t.values.get(metric) is not None]
    if not scored:
        return []
    best: list[float] = []
    for _, value, _ in scored:
        best.append(value if not best or yardstick.is_better(value, best[-1]) else best[-1])
    numbers = [number for number, _, _ in scored]
    label, form = f"{metric} on validation", score_format(metric)
    so_far = line(
        [series("best so far", numbers, best, step=True)],
        "trial",
        label,
        y_format=form,
        caption="The best validation score of a single training so far.",
    )
    points = [
        (
            number,
            value,
            f"{number}: {trial.mutation}",
            _origin(trial),
        )
        for number, value, trial in scored
    ]
    return [so_far, scatter(points, "trial", label, y_format=form, caption="Every completed trial.")]


def _origin(trial: Trial) -> str:
    if is_reevaluation(trial):
        return "trained again"
    return "changed" if trial.parents else "made from nothing"
