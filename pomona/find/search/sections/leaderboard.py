"""All trials side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from pomona.find.search.yardstick import Yardstick
from pomona.fit.sections.scores import score_format
from pomona.fit.trials.store import best_first
from pomona.fit.trials.trial import Trial
from pomona.foundation.report import table


def leaderboard_section(
    trials: Sequence[Trial],
    yardstick: Yardstick,
    *,
    winner: int,
    baseline: tuple[str, float | None],
    latencies: Mapping[int, float],
) -> list[dict[str, Any]]:
    """The items of the section: completed trials, best first, and those that were not completed.

    The cheap baseline (its name and its score on validation) stands among them.
    """
    metric = yardstick.metric
    ranked = best_first(tuple(trials))
    rows = [_row(trial, metric, latencies.get(trial.number)) for trial in ranked]
    place = _baseline_place([trial.values.get(metric) for trial in ranked], baseline[1], yardstick)
    if baseline[1] is not None:
        rows.insert(place, [f"baseline: {baseline[0]}", baseline[1], None, None, None, None, ""])
    columns = [
        "trial",
        (f"{metric} on validation", score_format(metric)),
        ("nll", "number"),
        ("parameters", "integer"),
        ("latency", "number", "ms"),
        ("trained for", "seconds"),
        "made by",
    ]
    highlight = next((i for i, row in enumerate(rows) if row[0] == str(winner)), None)
    caption = "Scores of single trainings; the winner is chosen among the best with the luck taken off."
    items = [table(columns, rows, highlight=highlight, caption=caption)]
    ended = [trial for trial in trials if trial.state in ("failed", "pruned")]
    if ended:
        reasons = [[str(t.number), t.state, t.attributes.get("reason", ""), t.mutation] for t in ended]
        items.append(table(["trial", "state", "why", "made by"], reasons))
    return items


def _row(trial: Trial, metric: str, latency_ms: float | None) -> list[Any]:
    kept = trial.attributes
    return [
        str(trial.number),
        trial.values.get(metric),
        trial.values.get("nll"),
        kept.get("parameters"),
        latency_ms,
        kept.get("seconds"),
        trial.mutation,
    ]


def _baseline_place(scores: list[float | None], baseline: float | None, yardstick: Yardstick) -> int:
    if baseline is None:
        return 0
    ahead = [s for s in scores if s is not None and not yardstick.is_better(baseline, s)]
    return len(ahead)
