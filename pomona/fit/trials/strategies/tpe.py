"""Optuna's tree-structured Parzen estimator, for spaces of named parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pomona.fit.trials.space import Choice, Float, Parameter, Point
from pomona.fit.trials.strategies.points import paid
from pomona.fit.trials.strategies.strategy import SearchSpace, StrategySettings, Suggestion
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import SettingError


def tpe(
    space: SearchSpace,
    trials: Sequence[Trial],
    generator: np.random.Generator,
    settings: StrategySettings,
) -> Suggestion:
    """What Optuna's estimator asks for, given the trials so far. Raises SettingError for a space without
    `parameters`, such as that of networks."""
    import optuna

    parameters: Mapping[str, Parameter] | None = getattr(space, "parameters", None)
    if parameters is None:
        raise SettingError("tpe needs a space of named parameters: choose another strategy for networks")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # handed over by position, since Optuna compares options by value: 1 and True are one to it
    distributions = {name: _distribution(parameter) for name, parameter in parameters.items()}
    sampler = optuna.samplers.TPESampler(seed=int(generator.integers(2**32)), multivariate=False)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials(
        optuna.trial.create_trial(
            params=_positions(parameters, trial.genome), distributions=distributions, value=trial.score
        )
        for trial in trials
        if trial.score is not None
    )
    asked = study.ask(distributions).params
    point = {
        name: parameter.options[asked[name]] if isinstance(parameter, Choice) else asked[name]
        for name, parameter in parameters.items()
    }
    return paid(space, trials, point, mutation="asked for by the estimator")


def _distribution(parameter: Parameter) -> Any:
    from optuna import distributions

    if isinstance(parameter, Choice):
        return distributions.CategoricalDistribution(range(len(parameter.options)))
    if isinstance(parameter, Float):
        return distributions.FloatDistribution(parameter.low, parameter.high, log=parameter.log)
    return distributions.IntDistribution(parameter.low, parameter.high, log=parameter.log)


def _positions(parameters: Mapping[str, Parameter], point: Mapping[str, Any]) -> Point:
    return {
        name: parameter.options.index(point[name]) if isinstance(parameter, Choice) else point[name]
        for name, parameter in parameters.items()
    }
