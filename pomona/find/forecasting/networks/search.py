"""The search for forecasting networks: starts that are good on many panels, then changes of the best."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pomona.find.forecasting.ensemble import Selection, steadied
from pomona.find.forecasting.judging import Judge, judge_of
from pomona.find.forecasting.networks.member import design_for, params_of, predict
from pomona.find.forecasting.networks.space import Sight, forecasting_space, sight_of, starting_points
from pomona.find.forecasting.networks.training import train
from pomona.find.forecasting.problem import Forecast, Panel, Params, histories
from pomona.find.forecasting.storing import (
    forecasts_bytes,
    read_forecasts,
    read_params,
    write_params,
)
from pomona.find.forecasting.validation import Origins, rolling_origins
from pomona.fit.trials.optuna_store import OptunaStore
from pomona.fit.trials.space import Point, Space
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.strategies import StrategySettings
from pomona.fit.trials.trial import Proposal, Trial
from pomona.fit.trials.tuning import tune
from pomona.foundation.errors import SpecError
from pomona.foundation.files import write_bytes
from pomona.foundation.run import Run

FEWEST_TRIALS, MOST_TRIALS = 3, 40
MOST_CHOSEN = 5
PICKS = 10
NEARLY = 1.1
"""Networks whose loss is at most so many times the lowest have a share."""

FORECASTS = "forecasts.safetensors"


PASSES, USUAL_BATCH = 8, 256
FEWEST_STEPS, MOST_STEPS, MANY_VALUES = 150, 500, 1_000_000
"""A usual training sees each window some eight times, within limits of steps that double for many values."""


@dataclass(frozen=True)
class Budget:
    """How long networks are looked for."""

    steps: int
    """Of a training of usual length; a point's own "length" is a factor of it."""
    trials: int | None = None
    """Networks to try; None: as many as `seconds` allows."""
    seconds: float = 60.0

    def steps_of(self, point: Point, share: float = 1.0) -> int:
        """Steps of the training of a point, or of a share of it."""
        return max(1, int(share * point["length"] * self.steps))


@dataclass(frozen=True)
class Chosen:
    """A network of the result: what it is, its weight, and its parameters after the search."""

    name: str
    point: Point
    weight: float
    params: Params


def usual_budget(panel: Panel, *, seconds: float | None = None, trials: int | None = None) -> Budget:
    """The budget by the amount of data: half a minute for a small table, eight for millions of values."""
    size = len(panel.values)
    passes = PASSES * size / USUAL_BATCH
    steps = int(np.clip(passes, FEWEST_STEPS, MOST_STEPS if size < MANY_VALUES else 2 * MOST_STEPS))
    return Budget(steps, trials, seconds or float(np.clip(25 + size / 15_000, 25, 480)))


def search(panel: Panel, cut: np.ndarray, budget: Budget, *, run: Run) -> list[Chosen]:
    """The networks that together forecast best before the cut, and their weights, the heaviest first.

    Each is trained before the first of some origins that lie before the cut, and judged at all of them;
    nothing at or after the cut is seen. Trials are kept in the run's folder: a stopped search goes on. None
    where the origins have no value to judge by.
    """
    before = histories(panel, cut)
    origins = rolling_origins(before, num_windows(before))
    if not any(np.isfinite(truth).any() for truth in origins.truths):
        return []
    sight = sight_of(before, origins.cuts[0])
    space = forecasting_space(sight)
    trial = _Trials(before, origins, judge_of(before, origins), sight, budget, run)
    with contextlib.closing(OptunaStore(run.path("trials", "trials.sqlite").parent)) as store:
        _offer(store, starting_points(sight), space)
        number = 0
        while number < MOST_TRIALS and not run.should_stop() and trial.is_wanted(number, store):
            number += 1
            tune(
                lambda point: trial.score(space.key(point), point),
                space,
                num_trials=number,
                store=store,
                run=run,
                strategy="beam",
                settings=StrategySettings(starts=len(starting_points(sight)), reevaluations=0.0),
            )
        run.check_interrupt()
        finished = store.top_k(MOST_TRIALS)
    return trial.chosen(finished, space)


def num_windows(panel: Panel) -> int | None:
    """Origins to judge networks by: the usual number for a few long series, else one, which leaves more to
    learn from."""
    usual = float(np.median(panel.lengths)) if panel.num_series else 0.0
    is_long = usual >= LONG * panel.horizon
    return None if is_long and panel.num_series < MANY_SERIES else 1


LONG, MANY_SERIES = 20, 300


@dataclass(frozen=True)
class _Trials:
    """Trains a point and says how good it is; keeps what it trained and forecast in the run's folder."""

    panel: Panel
    origins: Origins
    judge: Judge
    sight: Sight
    budget: Budget
    run: Run

    def score(self, key: str, point: Point) -> float:
        """The loss on the origins, negative; NaN for a network that could not be trained."""
        folder = self._folder(key)
        if not (folder / FORECASTS).exists() and not self._train(key, point):
            return float("nan")
        forecasts = read_forecasts(folder / FORECASTS)
        if not all(np.isfinite(one.quantiles).all() and np.isfinite(one.mean).all() for one in forecasts):
            return float("nan")
        return -self.selected({key: forecasts}).loss

    def selected(self, forecasts: dict[str, list[Forecast]]) -> Selection:
        """The best mean of some networks."""
        return self.judge.select(forecasts, num_picks=PICKS)

    def is_wanted(self, number: int, store: TrialStore) -> bool:
        """Whether one more network than `number` is tried: as many as asked for, or while there is time.

        What was decided by the clock is logged, so that a search that is done again is the same.
        """
        if self.budget.trials is not None:
            return number < self.budget.trials
        spent = sum(trial.seconds or 0.0 for trial in store.all())
        is_early = number < FEWEST_TRIALS or spent < self.budget.seconds
        return self.run.decide("whether to try another network", str(number), lambda: is_early)

    def chosen(self, finished: Sequence[Trial], space: Space) -> list[Chosen]:
        """The best mean of all networks that were trained."""
        names = {space.key(trial.genome): trial.genome for trial in finished}
        forecasts = {name: read_forecasts(self._folder(name) / FORECASTS) for name in names}
        if not forecasts:
            return []
        weights = steadied(self.selected(forecasts), reach=NEARLY)
        kept = dict(list(weights.items())[:MOST_CHOSEN])
        total = sum(kept.values())
        return [
            Chosen(name, names[name], weight / total, read_params(self._folder(name)))
            for name, weight in kept.items()
        ]

    def _train(self, key: str, point: Point) -> bool:
        first = self.origins.cuts[0]
        try:
            design = design_for(self.panel, first, point, self.sight)
        except SpecError:
            # some choices do not go together for some lengths of past
            return False
        steps = self.budget.steps_of(point)
        found = train(design, point, self.panel, first, steps=steps, run=self.run, name=f"network-{key}")
        if found.failed:
            return False
        params = params_of(design, found.state)
        forecasts = [predict(params, histories(self.panel, cut), cut) for cut in self.origins.cuts]
        write_params(self._folder(key), params)
        write_bytes(self._folder(key) / FORECASTS, forecasts_bytes(forecasts))
        return True

    def _folder(self, key: str) -> Path:
        return self.run.path("networks", key, FORECASTS).parent


def _offer(store: TrialStore, points: Sequence[Point], space: Space) -> None:
    """Lets the starts wait in the store, in their order, before anything else is tried; known ones stay."""
    for point in points:
        trial = store.claim(Proposal(point, space.key(point)))
        if trial is not None:
            store.release(trial.number)
