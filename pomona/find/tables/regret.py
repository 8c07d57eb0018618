"""A search replayed on a table: the strategy asks, the table answers, and the truth is known at the end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from pomona.find.tables.table import Table, TablePoints
from pomona.fit.trials.strategies.leaders import winner
from pomona.fit.trials.strategies.strategy import Strategy, StrategySettings, Suggestion
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import SettingError
from pomona.foundation.randomness import stream


@dataclass(frozen=True)
class Regret:
    """How far below the best point searches ended, on average over repetitions.

    `mean` is of the winner by shrunken means, `naive_mean` of the point of the highest single score.
    `num_points` is how many different points a search tried on average.
    """

    mean: float
    standard_error: float
    naive_mean: float
    naive_standard_error: float
    num_points: float
    repetitions: int
    seconds: float


def replay(
    table: Table,
    strategy: Strategy,
    *,
    trials: int = 200,
    repetitions: int = 200,
    seed: int = 0,
    settings: StrategySettings | None = None,
) -> Regret:
    """The regret of a strategy on a table after `trials` evaluations.

    An evaluation answers with the score of one of the point's recorded seeds, a further one of the same point
    with that of another; past the last they start anew. In a repetition all strategies are answered alike.
    """
    if trials < 1 or repetitions < 2:
        raise SettingError(f"give at least 1 trial and 2 repetitions, got {trials} and {repetitions}")
    settings = replace(settings or StrategySettings(), num_trials=trials)
    points, started = table.points, time.monotonic()
    ends = [
        _end(table, points, one_search(table, points, strategy, settings, seed=seed, repetition=repetition))
        for repetition in range(repetitions)
    ]
    chosen, naive, num_points = np.array(ends).T
    return Regret(
        *_mean_and_error(chosen),
        *_mean_and_error(naive),
        float(num_points.mean()),
        repetitions,
        time.monotonic() - started,
    )


def one_search(
    table: Table,
    points: TablePoints,
    strategy: Strategy,
    settings: StrategySettings,
    *,
    seed: int,
    repetition: int,
) -> list[Trial]:
    """The trials of one search, `settings.num_trials` in number."""
    generator = stream(seed, "replay", repetition)
    order = _order_of_seeds(table, stream(seed, "table", repetition))
    trials: list[Trial] = []
    evaluations: dict[str, int] = {}
    for number in range(settings.num_trials):
        asked = strategy(points, trials, generator, settings)
        index = points.index(asked.point)
        key = str(index)
        again = evaluations.get(key, 0)
        evaluations[key] = again + 1
        score = float(table.scores[index, order[index, again % table.num_seeds[index]]])
        trials.append(_trial(number, asked, key, again, score))
    return trials


def _trial(number: int, asked: Suggestion, key: str, seed: int, score: float) -> Trial:
    return Trial(
        number,
        "completed",
        asked.point,
        key,
        seed,
        asked.parents,
        asked.mutation,
        score,
        values={},
        attributes={},
        reports={},
        attempts=1,
        started=None,
        finished=None,
    )


def _order_of_seeds(table: Table, generator: np.random.Generator) -> Int[np.ndarray, "point seed"]:
    """For every point its seeds in a random order, those it has not last."""
    draws = generator.random(table.scores.shape, dtype=np.float32)
    return np.argsort(np.where(np.isnan(table.scores), 2.0, draws), axis=1)


def _end(table: Table, points: TablePoints, trials: Sequence[Trial]) -> tuple[float, float, int]:
    chosen = winner(trials)
    assert chosen is not None, "every trial of a replay is completed"
    naive = max(trials, key=lambda trial: trial.score or 0.0)
    return (
        table.regret(int(chosen.trial.genome_hash)),
        table.regret(int(naive.genome_hash)),
        len({trial.genome_hash for trial in trials}),
    )


def _mean_and_error(values: Float[np.ndarray, " repetition"]) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
