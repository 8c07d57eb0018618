"""What the cells of search_real.py say together: who reached what after how many trials and seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pomona.foundation.statistics import t_interval

Cell = Mapping[str, Any]


def strategy_rows(cells: Mapping[str, Sequence[Cell]]) -> list[dict[str, Any]]:
    """A row a strategy: its test score, its best validation score after all trials and after equal seconds,
    and when it reached what random search ends with on the same splits. The last is the cheap baseline.
    """
    searches = {name: own for name, own in cells.items() if name != "baseline"}
    seeds = range(len(cells["baseline"]))
    seconds = [min(total_seconds(own[seed]) for own in searches.values()) for seed in seeds]
    rows = [
        {
            "strategy": strategy,
            **interval("test", [own[seed]["test"] for seed in seeds]),
            **as_found([own[seed] for seed in seeds]),
            **interval("valid", [best_so_far(own[seed])[-1] for seed in seeds]),
            **interval("valid_after_equal_seconds", [best_within(own[s], seconds[s]) for s in seeds]),
            "seconds_of_training": float(np.mean([total_seconds(own[seed]) for seed in seeds])),
            "parameters": [own[seed].get("parameters") for seed in seeds],
            **(reached(own, searches["random"]) if "random" in searches else {}),
        }
        for strategy, own in searches.items()
    ]
    return [*rows, baseline_row(cells["baseline"])]


def small_rows(cells: Mapping[str, Sequence[Cell]]) -> list[dict[str, Any]]:
    """The network that was searched for against the hand-made one, on the same speakers."""
    found, handmade = cells["small"], cells["handmade"]
    gains = [ours["test"] - theirs["test"] for ours, theirs in zip(found, handmade, strict=True)]
    rows = [
        {
            "strategy": name,
            **interval("test", [one["test"] for one in own]),
            "parameters": [one["parameters"] for one in own],
        }
        for name, own in (("search", found), ("hand-made", handmade))
    ]
    rows[0] |= interval("gain", gains)
    return [*rows, baseline_row(cells["baseline"])]


def baseline_row(cells: Sequence[Cell]) -> dict[str, Any]:
    """What the cheap method scores that is best on the first seed's validation data, each seed its own."""
    return {"strategy": cells[0]["name"], **interval("test", [one["test"] for one in cells])}


def as_found(own: Sequence[Cell]) -> dict[str, Any]:
    """The test scores of the best models as they were found; nothing where their weights are gone."""
    scores = [cell["test_as_found"] for cell in own if "test_as_found" in cell]
    return interval("test_as_found", scores) if len(scores) == len(own) else {}


def reached(own: Sequence[Cell], random: Sequence[Cell]) -> dict[str, Any]:
    """After how many trials and seconds each cell was as good as random search in the end.

    None where it never was; shares are of what random search used, their median counts the rest as infinite.
    """
    trials = [first_reaching(cell, best_so_far(rival)[-1]) for cell, rival in zip(own, random, strict=True)]
    shares = [
        np.inf if count is None else count / len(rival["trials"])
        for count, rival in zip(trials, random, strict=True)
    ]
    seconds = [
        np.inf if count is None else spent(cell)[count - 1] / total_seconds(rival)
        for count, cell, rival in zip(trials, own, random, strict=True)
    ]
    return {
        "trials_to_random": trials,
        "share_of_trials_to_random": finite(float(np.median(shares))),
        "share_of_seconds_to_random": finite(float(np.median(seconds))),
    }


def best_so_far(cell: Cell) -> list[float]:
    """The best validation score after each trial; a training again of a known model finds none."""
    scores = [
        trial["valid"] if trial["valid"] is not None and trial["seed"] == 0 else -np.inf
        for trial in cell["trials"]
    ]
    return np.maximum.accumulate(scores).tolist()


def spent(cell: Cell) -> list[float]:
    """Seconds of training after each trial."""
    return np.cumsum([trial["seconds"] for trial in cell["trials"]]).tolist()


def total_seconds(cell: Cell) -> float:
    """Seconds of training of all trials."""
    return spent(cell)[-1]


def best_within(cell: Cell, seconds: float) -> float:
    """The best validation score of the trials that ended within so many seconds."""
    ended = sum(second <= seconds + 1e-9 for second in spent(cell))
    return best_so_far(cell)[max(ended, 1) - 1]


def first_reaching(cell: Cell, score: float) -> int | None:
    """How many trials it took to reach a score; None when it was not reached."""
    return next((count for count, best in enumerate(best_so_far(cell), 1) if best >= score), None)


def interval(name: str, values: Sequence[float]) -> dict[str, Any]:
    """The mean over seeds, the ends of its t interval, and the values."""
    ends = t_interval(np.array(values)) if len(values) > 1 else None
    return {
        name: float(np.mean(values)),
        f"{name}_low": ends and ends.low,
        f"{name}_high": ends and ends.high,
        f"{name}_of_seeds": list(values),
    }


def finite(value: float) -> float | None:
    """The value, None for infinity, which JSON does not know."""
    return value if np.isfinite(value) else None
