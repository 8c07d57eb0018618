"""Small searches in a space of settings, for any function that scores a point."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pomona.fit.trials.space import Point, Space
from pomona.fit.trials.store import TrialStore, num_finished
from pomona.fit.trials.strategies.methods import METHODS
from pomona.fit.trials.strategies.points import fresh_sample, known_keys
from pomona.fit.trials.strategies.strategy import Strategy, StrategySettings
from pomona.fit.trials.trial import Proposal, Trial
from pomona.foundation.errors import SettingError, unknown_name

if TYPE_CHECKING:
    from pomona.foundation.run import Run

# a strategy that suggests known points this often in a row is helped out with a random one
MAX_REPEATS = 100


@dataclass(frozen=True)
class TuneResult:
    """The best point, its score, and all trials; `best` is None when no trial was completed."""

    best: Point | None
    score: float
    trials: tuple[Trial, ...]


def tune(
    function: Callable[[Point], float],
    space: Space,
    *,
    num_trials: int,
    store: TrialStore,
    run: "Run",
    strategy: str = "random",
    settings: StrategySettings | None = None,
) -> TuneResult:
    """The point of `space` with the highest score of `function` among `num_trials` different ones.

    Fewer are tried when the space is exhausted or the run's budget is. A score of NaN or infinity fails its
    trial. The same store and seed go on where an earlier call was stopped. `strategy` is a name in METHODS;
    what its `settings` say about the budget and about evaluating again does not count here, since `function`
    takes no seed.
    """
    if num_trials < 1:
        raise SettingError(f"num_trials must be at least 1, got {num_trials}")
    if strategy not in METHODS:
        raise unknown_name("strategy", strategy, METHODS)
    settings = replace(settings or StrategySettings(), num_trials=num_trials, reevaluations=0.0)
    store.reap(alone=True)
    with run.progress("tuning", num_trials, "trials") as progress:
        progress.advance(num_finished(store))
        while num_finished(store) < num_trials and not run.should_stop():
            trial = store.claim_waiting() or _claim_new(space, store, run, METHODS[strategy], settings)
            if trial is None:
                break
            store.finish(trial.number, float(function(trial.genome)), {})
            progress.advance()
    run.check_interrupt()
    best = store.top_k(1)
    if not best:
        return TuneResult(None, float("nan"), store.all())
    return TuneResult(best[0].genome, best[0].score or 0.0, store.all())


def _claim_new(
    space: Space, store: TrialStore, run: "Run", strategy: Strategy, settings: StrategySettings
) -> Trial | None:
    trials = store.all()
    generator = run.generator("tune", len(trials))
    for _ in range(MAX_REPEATS):
        suggestion = strategy(space, trials, generator, settings)
        proposal = Proposal(
            suggestion.point, space.key(suggestion.point), 0, suggestion.parents, suggestion.mutation
        )
        claimed = None if suggestion.seed else store.claim(proposal)
        if claimed is not None:
            return claimed
    # a strategy that is fond of known points is not asked for ever
    point = fresh_sample(space, known_keys(trials), generator)
    return None if point is None else store.claim(Proposal(point, space.key(point)))
