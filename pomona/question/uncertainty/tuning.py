"""Choosing the settings of a method on validation data, with the same small budget for every method."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from pomona.fit.settings import FitSettings
from pomona.fit.trials import MemoryStore, Space, tune
from pomona.fit.trials.space import Float
from pomona.foundation.errors import SettingError
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.asking import said_of_source
from pomona.question.uncertainty.cell import fit_method
from pomona.question.uncertainty.examples import Examples
from pomona.question.uncertainty.measures.table import measure
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.methods.settings import MethodSettings

SHARED = {"learning_rate": Float(5e-4, 2e-2, log=True), "weight_decay": Float(1e-4, 0.3, log=True)}
"""What is chosen for every method besides its own settings; fields of FitSettings."""

DECIDING = ("nll", "pinball", "interval_score", "rmse")
"""By what settings are chosen: the first of these that a method has; less is better."""

TUNING_SEED = 1_000_003
"""Settings are chosen with a seed that no cell has."""


def space_of(method: str) -> Space:
    """All that is chosen for a method."""
    return Space({**SHARED, **METHODS[method].space.parameters})


def settings_at(point: Mapping[str, Any], fit: FitSettings) -> MethodSettings:
    """The settings of a method at a point of its space."""
    known = {field.name for field in fields(FitSettings)}
    shared = {name: value for name, value in point.items() if name in known}
    return MethodSettings(replace(fit, **shared), {n: v for n, v in point.items() if n not in known})


def tuned(
    examples: Examples, spec: Spec, method: str, fit: FitSettings, *, num_trials: int, run: Run
) -> dict[str, Any]:
    """The best of `num_trials` points: `point`, its score on validation data as `valid`, and `trials`.

    The first point is what the method and `fit` say themselves, so that tuning makes nothing worse there;
    the others are Parzen estimates of good ones. Finished trials are kept by the run; a point whose fit fails
    has no score. Raises Interrupted when the user stops.
    """
    space = space_of(method)
    usual = {name: getattr(fit, name) for name in SHARED}
    usual |= {name: METHODS[method].defaults[name] for name in METHODS[method].space.parameters}

    def score(point: Mapping[str, Any]) -> float:
        name = f"tune-{method}-{space.key(dict(point))}"
        if run.restore(name) is None:
            loss = _loss(examples, spec, method, settings_at(point, fit), run=run.child(name))
            run.save(name, {"point": dict(point), "loss": loss})
        loss = run.restore(name)["loss"]
        return float("nan") if loss is None else -loss

    store = MemoryStore()
    first = score(usual)
    if num_trials > 1:
        trials = {"num_trials": num_trials - 1, "store": store, "run": run.child(f"tune-{method}")}
        tune(score, space, strategy="tpe", **trials)
    best = store.top_k(1)
    if best and not (best[0].score or -np.inf) <= first:
        return {"point": best[0].genome, "valid": -(best[0].score or np.nan), "trials": num_trials}
    return {"point": usual, "valid": -first, "trials": num_trials}


def _loss(examples: Examples, spec: Spec, method: str, settings: MethodSettings, *, run: Run) -> float:
    """The first measure of validation examples that the method has, nll if any; NaN where its fit fails."""
    try:
        fitted = fit_method(examples, spec, method, settings, run=run, seed=TUNING_SEED)
    except SettingError:
        return float("nan")
    values = measure(*said_of_source(fitted.say, examples.task, examples.valid)).values
    return next(value for name, value in values.items() if name in DECIDING)
