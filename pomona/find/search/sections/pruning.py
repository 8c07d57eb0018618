"""Trainings that ended early, and what that saved."""

from collections.abc import Sequence
from typing import Any

from pomona.find.search.pruning import PARTS, saved_share, was_stopped_early
from pomona.fit.trials.trial import Trial
from pomona.foundation.report import line, number, numbers, series, table

NUM_DRAWN = 8
"""Trainings of each kind whose scores on the way are drawn."""


def pruning_section(trials: Sequence[Trial], pruner: str) -> list[dict[str, Any]]:
    """The items of the section: how much was spared, and the scores on the way of some trainings."""
    ended = [trial for trial in trials if was_stopped_early(trial)]
    watched = [trial for trial in trials if trial.reports]
    if not watched:
        return []
    saved = sum(saved_share(trial) for trial in ended)
    figures = numbers(
        number("trainings that ended early", len(ended), format="integer", note=f"of {len(watched)}"),
        number("spared", saved / len(watched), format="percent", note="of all training that was watched"),
    )
    rows = [
        [str(trial.number), f"{max(trial.reports)}/{PARTS}", max(trial.reports.values()), trial.mutation]
        for trial in ended
    ]
    listed = (
        [table(["trial", "ended after", ("best score by then", "number"), "made by"], rows)] if rows else []
    )
    lasting = [trial for trial in watched if trial.state == "completed"]
    return [figures, _curves(lasting, ended, pruner), *listed]


def _curves(lasting: Sequence[Trial], ended: Sequence[Trial], pruner: str) -> dict[str, Any]:
    drawn = [(trial, "") for trial in lasting[:NUM_DRAWN]] + [
        (trial, ", ended") for trial in ended[:NUM_DRAWN]
    ]
    curves = [
        series(f"{trial.number}{said}", [part / PARTS for part in parts], [trial.reports[p] for p in parts])
        for trial, said in drawn
        for parts in [sorted(trial.reports)]
    ]
    caption = f"Scores on the way, on validation; the {pruner} pruner ended those that say so."
    return line(curves, "share of the training", "score", caption=caption)
