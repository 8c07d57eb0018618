"""Small searches in a space of settings, for any function that scores a point."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pomona.fit.trials.space import Choice, Float, Point, Space
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Proposal, Trial
from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.files import to_json
from pomona.foundation.randomness import stream_seed

if TYPE_CHECKING:
    from pomona.foundation.run import Run

# this many proposals in a row that were tried before end a search: the space is exhausted
MAX_REPEATS = 200


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
) -> TuneResult:
    """The point of `space` with the highest score of `function` among `num_trials` different ones.

    Fewer are tried when the space is exhausted or the run's budget is. A score of NaN or infinity fails its
    trial. The same store and seed go on where an earlier call was stopped.
    """
    if num_trials < 1:
        raise SettingError(f"num_trials must be at least 1, got {num_trials}")
    if strategy not in STRATEGIES:
        raise unknown_name("strategy", strategy, STRATEGIES)
    store.reap(alone=True)
    with run.progress("tuning", num_trials, "trials") as progress:
        progress.advance(_num_finished(store))
        while _num_finished(store) < num_trials and not run.should_stop():
            trial = store.claim_waiting() or _claim_new(space, store, run, STRATEGIES[strategy])
            if trial is None:
                break
            store.finish(trial.number, float(function(trial.genome)), {})
            progress.advance()
    run.check_interrupt()
    best = store.top_k(1)
    if not best:
        return TuneResult(None, float("nan"), store.all())
    return TuneResult(best[0].genome, best[0].score or 0.0, store.all())


def random_point(space: Space, trials: Sequence[Trial], generator: np.random.Generator) -> Point:
    """A point drawn evenly, whatever was tried."""
    return space.sample(generator)


def evolved_point(space: Space, trials: Sequence[Trial], generator: np.random.Generator) -> Point:
    """A mutation of the best of three among the ten latest trials.

    Regularised evolution (Real et al. 2019) with a population of 10 and samples of 3.
    """
    scored = [trial for trial in trials if trial.score is not None]
    if len(scored) < 10:
        return space.sample(generator)
    rivals = generator.choice(10, size=3, replace=False)
    parent = max((scored[-10:][rival] for rival in rivals), key=lambda trial: trial.score or 0.0)
    return space.mutate(parent.genome, generator)


def tpe_point(space: Space, trials: Sequence[Trial], generator: np.random.Generator) -> Point:
    """What Optuna's tree-structured Parzen estimator asks for, given the trials so far."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # handed over by position, since Optuna compares options by value: 1 and True are one to it
    distributions = {name: _distribution(parameter) for name, parameter in space.parameters.items()}
    sampler = optuna.samplers.TPESampler(seed=int(generator.integers(2**32)), multivariate=False)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(
        optuna.trial.create_trial(
            params=_positions(space, trial.genome), distributions=distributions, value=trial.score
        )
        for trial in trials
        if trial.score is not None
    )
    asked = study.ask(distributions).params
    return {
        name: parameter.options[asked[name]] if isinstance(parameter, Choice) else asked[name]
        for name, parameter in space.parameters.items()
    }


STRATEGIES = {"random": random_point, "evolve": evolved_point, "tpe": tpe_point}


def _num_finished(store: TrialStore) -> int:
    return sum(trial.finished is not None for trial in store.all())


def _claim_new(
    space: Space,
    store: TrialStore,
    run: "Run",
    propose: Callable[[Space, Sequence[Trial], np.random.Generator], Point],
) -> Trial | None:
    trials = store.all()
    generator = run.generator("tune", len(trials))
    for repeat in range(MAX_REPEATS):
        # a strategy that is fond of a known point is not asked for ever
        point = propose(space, trials, generator) if repeat < MAX_REPEATS // 2 else space.sample(generator)
        plain = to_json(dict(sorted(point.items())))
        claimed = store.claim(Proposal(point, f"{stream_seed(0, 'point', plain):016x}"))
        if claimed is not None:
            return claimed
    return None


def _distribution(parameter: Any) -> Any:
    from optuna import distributions

    if isinstance(parameter, Choice):
        return distributions.CategoricalDistribution(range(len(parameter.options)))
    if isinstance(parameter, Float):
        return distributions.FloatDistribution(parameter.low, parameter.high, log=parameter.log)
    return distributions.IntDistribution(parameter.low, parameter.high, log=parameter.log)


def _positions(space: Space, point: Mapping[str, Any]) -> Point:
    return {
        name: parameter.options.index(point[name]) if isinstance(parameter, Choice) else point[name]
        for name, parameter in space.parameters.items()
    }
