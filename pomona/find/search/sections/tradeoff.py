"""What a better score costs."""

from collections.abc import Mapping, Sequence
from typing import Any

from pomona.find.search.yardstick import Yardstick
from pomona.fit.sections.scores import score_format
from pomona.fit.trials.trial import Trial
from pomona.foundation.report import scatter


def tradeoff_section(
    trials: Sequence[Trial], yardstick: Yardstick, latencies: Mapping[int, float]
) -> list[dict[str, Any]]:
    """The items of the section: score against parameters, and parameters against measured latency.

    A line joins the models that no other beats on both axes.
    """
    metric = yardstick.metric
    scored = [t for t in trials if t.values.get(metric) is not None and t.attributes.get("parameters")]
    sign = 1.0 if yardstick.greater_is_better else -1.0
    by_size = _scatter(
        scored,
        [float(trial.values[metric]) for trial in scored],
        f"{metric} on validation",
        sign=sign,
        y_format=score_format(metric),
        caption="The line joins the models that no smaller one beats.",
    )
    timed = [trial for trial in scored if trial.number in latencies]
    by_latency = _scatter(
        timed,
        [latencies[trial.number] for trial in timed],
        "latency of the exported model for one example, ms",
        sign=-1.0,
        caption="The best models, measured on the machine of the search.",
    )
    return [*by_size, *by_latency]


def _scatter(
    trials: Sequence[Trial], values: Sequence[float], label: str, *, sign: float, **looks: str
) -> list[dict[str, Any]]:
    """Values against parameters, with the front of those that are large (`sign` 1) or small (-1)."""
    if not trials:
        return []
    sizes = [float(trial.attributes["parameters"]) for trial in trials]
    front = pareto_front(sizes, [sign * value for value in values])
    names = [str(trial.number) for trial in trials]
    points = list(zip(sizes, values, names, strict=True))
    return [scatter(points, "parameters", label, front=[names[i] for i in front], x_log=True, **looks)]


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Positions of the points that no other beats: none costs as little and gains more, or less and as much.

    In order of rising cost; of equal points the first.
    """
    order = sorted(range(len(costs)), key=lambda i: (costs[i], -gains[i], i))
    front: list[int] = []
    for position in order:
        if not front or gains[position] > gains[front[-1]]:
            front.append(position)
    return front
