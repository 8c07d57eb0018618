"""Forecasts from the past alone: the last season again, and a linear map of the past."""

import numpy as np
from jaxtyping import Float

from pomona.fit.baselines.method import PredictOne
from pomona.tasks.batch import Batch
from pomona.tasks.past import past_of
from pomona.tasks.task import Task

PENALTIES = np.logspace(-3, 5, 9)


def has_past(task: Task) -> bool:
    """Tasks of which each target goes on a series that is an input, in the target's unit."""
    example = {name: np.zeros((1, *feature.shape)) for name, feature in task.inputs.items()}
    return all(past_of(task, target, example) is not None for target in task.targets)


def fit_seasonal_naive(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """What was one season ago: of 1 step (the last value) to all steps, the best on training examples."""
    past, truth = _past(task, target, train), train[target]
    horizon = truth.shape[1]
    seasons = range(1, past.shape[1] + 1)
    costs = [np.abs(_again(past, season, horizon) - truth).mean() for season in seasons]
    best = seasons[int(np.argmin(costs))]
    return lambda batch: _again(_past(task, target, batch), best, horizon).astype(np.float32)


def fit_linear_forecast(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Ridge regression of what comes on what was, both less the last value, one map for all series."""
    from sklearn.linear_model import RidgeCV

    def rows(values: Float[np.ndarray, "batch time feature"]) -> Float[np.ndarray, "series time"]:
        return np.moveaxis(values, 2, 1).reshape(-1, values.shape[1])

    past, truth = _past(task, target, train), train[target]
    last = past[:, -1:]
    weight = None if "weight" not in train else np.repeat(train["weight"], truth.shape[2])
    model = RidgeCV(PENALTIES).fit(rows(past - last), rows(truth - last), sample_weight=weight)

    def predict(batch: Batch) -> np.ndarray:
        past = _past(task, target, batch)
        last = past[:, -1:]
        change = model.predict(rows(past - last)).reshape(len(past), past.shape[2], -1)
        return (np.moveaxis(change, 1, 2) + last).astype(np.float32)

    return predict


def _past(task: Task, target: str, batch: Batch) -> Float[np.ndarray, "batch time feature"]:
    """The past up to its last real step, what is missing before it filled with the first one."""
    found = past_of(task, target, batch)
    assert found is not None
    series, real = found
    if real.all():
        return series
    # real steps come first in a padded series: move them to the end
    time, lengths = real.shape[1], real.sum(axis=1)
    steps = np.arange(time)[None] - (time - lengths)[:, None]
    return np.take_along_axis(series, np.maximum(steps, 0)[..., None], axis=1)


def _again(
    past: Float[np.ndarray, "batch time feature"], season: int, horizon: int
) -> Float[np.ndarray, "batch horizon feature"]:
    return past[:, past.shape[1] - season + np.arange(horizon) % season]
