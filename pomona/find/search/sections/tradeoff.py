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
    if not scored:
        return []
    sign = 1.0 if yardstick.greater_is_better else -1.0
    sizes = [float(trial.attributes["parameters"]) for trial in scored]
    values = [float(trial.values[metric]) for trial in scored]
    front = pareto_front(sizes, [sign * value for value in values])
    items = [
        scatter(
            [(x, y, str(t.number)) for x, y, t in zip(sizes, values, scored, strict=True)],
            "parameters",
            f"{metric} on validation",
            front=[str(scored[i].number) for i in front],
            x_log=True,
            y_format=score_format(metric),
            caption="The line joins the models that no smaller one beats.",
        )
    ]
    timed = [trial for trial in scored if trial.number in latencies]
    if timed:
        sizes = [float(trial.attributes["parameters"]) for trial in timed]
        delays = [latencies[trial.number] for trial in timed]
        front = pareto_front(sizes, [-delay for delay in delays])
        items.append(
            scatter(
                [(x, y, str(t.number)) for x, y, t in zip(sizes, delays, timed, strict=True)],
                "parameters",
                "latency of the exported model for one example, ms",
                front=[str(timed[i].number) for i in front],
                x_log=True,
                caption="The best models, measured on the machine of the search.",
            )
        )
    return items


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
