"""One cell of the grid: a method fitted on a task with one seed, and all that is measured of it, as data."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.asking import BATCH_SIZE, said_of_source
from pomona.question.uncertainty.curves import curves
from pomona.question.uncertainty.examples import Examples
from pomona.question.uncertainty.measures.detection import detection
from pomona.question.uncertainty.measures.gaussian import gaussian_nats
from pomona.question.uncertainty.measures.likelihood import per_example
from pomona.question.uncertainty.measures.table import MEASURES, measure
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.methods.method import Fitted
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.said import Said, SaidValues, join_said
from pomona.question.uncertainty.shifted import family_of, severity_of

Cell = dict[str, Any]
"""method, seed, values, intervals, valid, outside, shifted, curves, losses, cost, settings."""

NUM_TIMED = 3


def cell(
    examples: Examples, spec: Spec, method: str, settings: MethodSettings, *, run: Run, seed: int
) -> Cell:
    """The cell of a method and a seed. Raises InputError where the method cannot be fitted."""
    fitted = fit_method(examples, spec, method, settings, run=run, seed=seed)
    return cell_of(fitted, examples, method, seed=seed)


def cell_of(fitted: Fitted, examples: Examples, method: str, *, seed: int) -> Cell:
    """The cell of what is fitted already."""
    said, truth = said_of_source(fitted.say, examples.task, examples.test)
    measured = measure(said, truth, seed=seed)
    return {
        "method": method,
        "seed": seed,
        "values": dict(measured.values),
        "intervals": {name: [one.low, one.high] for name, one in measured.intervals.items()},
        "valid": dict(measure(*said_of_source(fitted.say, examples.task, examples.valid)).values),
        "outside": _outside(fitted, examples, said),
        "shifted": _shifted(fitted, examples),
        "curves": curves(said, truth),
        "losses": np.round(losses(said, truth), 6).tolist(),
        "cost": _cost(fitted, examples),
        "settings": fitted.settings.to_json(),
    }


def fit_method(
    examples: Examples, spec: Spec, method: str, settings: MethodSettings, *, run: Run, seed: int
) -> Fitted:
    """The method, fitted with `seed` in the place of the run's.

    All methods start from the same weights and see examples in the same order where they can.
    """
    seeded = replace(run.child(f"{method}-{seed}"), seed=seed)
    return METHODS[method].function(examples.task, spec, settings, run=seeded, name="network")


def losses(said: Said | SaidValues, truth: np.ndarray) -> np.ndarray:
    """The nll of every test example, for paired comparisons; none where the method gives no density."""
    if isinstance(said, Said):
        return per_example("nll", said, truth)
    nats = gaussian_nats(said, truth)
    return np.zeros(0) if nats is None else nats.reshape(len(nats), -1).mean(axis=1)


def _outside(fitted: Fitted, examples: Examples, inside: Said | SaidValues) -> dict[str, Any]:
    """Name of the outside examples → score → how well it tells them; a score that never differs is absent."""
    found: dict[str, Any] = {}
    own = _scores(inside)
    for name, source in examples.outside.items():
        theirs = _scores(said_of_source(fitted.say, examples.task, source)[0])
        found[name] = {
            score: vars(detection(own[score], theirs[score]))
            for score in own
            if np.ptp(own[score]) > 0 or np.ptp(theirs[score]) > 0
        }
    return {name: scores for name, scores in found.items() if scores}


def _scores(said: Said | SaidValues) -> Mapping[str, np.ndarray]:
    if isinstance(said, Said):
        return said.scores
    if said.deviation is None:
        return {}
    return {"deviation": said.deviation.reshape(len(said.deviation), -1).mean(axis=1)}


def _shifted(fitted: Fitted, examples: Examples) -> dict[str, Any]:
    """The measures of all stressed examples together, by severity and, where enough, by stress."""
    if not examples.shifted:
        return {}
    said = {name: said_of_source(fitted.say, examples.task, one) for name, one in examples.shifted.items()}
    groups: dict[str, list[str]] = {}
    severities: dict[str, list[str]] = {}
    for name in said:
        groups.setdefault(family_of(name), []).append(name)
        if severity_of(name):
            severities.setdefault(severity_of(name), []).append(name)
    return {
        "mean": _pooled(said, list(said)),
        "severity": {severity: _pooled(said, names) for severity, names in severities.items()},
        "stress": {family: _pooled(said, names) for family, names in groups.items()},
    }


def _pooled(
    said: Mapping[str, tuple[Said | SaidValues, np.ndarray]], names: Sequence[str]
) -> dict[str, float]:
    joined: Said | SaidValues = join_said([said[name][0] for name in names])  # type: ignore[arg-type]
    truth = np.concatenate([said[name][1] for name in names])
    kind = "classify" if isinstance(joined, Said) else "regress"
    values = {name: one.value(joined, truth) for name, one in MEASURES[kind].items()}
    return {name: value for name, value in values.items() if value is not None and np.isfinite(value)}


def _cost(fitted: Fitted, examples: Examples) -> dict[str, float]:
    batch = examples.test.read(np.arange(min(BATCH_SIZE, examples.test.size)))
    num_examples = len(next(iter(batch.values())))
    fitted.say(batch)  # the first call of a kind is slower
    seconds = []
    for _ in range(NUM_TIMED):
        began = time.perf_counter()
        fitted.say(batch)
        seconds.append(time.perf_counter() - began)
    return {
        "parameters": fitted.parameters,
        "flops": fitted.flops,
        "steps": fitted.steps,
        "fit_seconds": fitted.fit_seconds,
        "seconds_per_1000": float(np.median(seconds)) * 1000 / num_examples,
    }
