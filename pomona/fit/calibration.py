"""Predictions that are as sure as they are right: what held-out examples say of them, kept as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pomona.fit.temperature import TEMPERED_KINDS, fit_temperature, temper
from pomona.foundation.errors import ArtifactError
from pomona.foundation.statistics import wilson_interval
from pomona.foundation.statistics.conformal import Conformal, conformal_classes, conformal_numbers
from pomona.tasks.metrics.calibration import NUM_BINS, equal_mass_bins
from pomona.tasks.metrics.measure import real_steps
from pomona.tasks.task import Task


@dataclass(frozen=True)
class Calibration:
    """The temperature of each head whose predictions are probabilities, and the conformal calibrations."""

    temperature: Mapping[str, float] = field(default_factory=dict)
    conformal: Mapping[str, Conformal] | None = None
    """Of classify, regress and forecast heads; it takes tempered probabilities."""

    def to_json(self) -> dict[str, Any]:
        """The calibration as plain data."""
        conformal = self.conformal
        return {
            "temperature": dict(self.temperature),
            "conformal": conformal and {head: one.to_json() for head, one in conformal.items()},
        }

    @staticmethod
    def from_json(plain: Any) -> "Calibration":
        """The calibration that `to_json` wrote. Raises ArtifactError for anything else."""
        try:
            conformal = plain["conformal"]
            return Calibration(
                {head: float(value) for head, value in plain["temperature"].items()},
                conformal and {head: Conformal.from_json(one) for head, one in conformal.items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"a calibration has temperature and conformal; got {plain}") from error


@dataclass(frozen=True)
class ReliabilityBin:
    """Examples of which the predicted class has about one probability."""

    count: int
    confidence: float  # mean probability of the predicted class
    accuracy: float  # share of predicted classes that are right
    low: float  # ends of the 95 % interval of the accuracy (Wilson)
    high: float


def calibrate(
    task: Task,
    predictions: Mapping[str, np.ndarray],
    batch: Mapping[str, np.ndarray],
    *,
    coverage: float | None = 0.9,
) -> Calibration:
    """The calibration of predictions on held-out examples, the validation split.

    `coverage` is that of conformal sets and intervals, None for none.

    Temperature and conformal quantiles are taken from the same examples: a single number fitted on n of them
    moves the coverage by an order of 1 / n.
    """
    temperatures: dict[str, float] = {}
    conformal: dict[str, Conformal] = {}
    for head in task.targets:
        prediction, target = predictions[head], batch[head]
        if task.kind in TEMPERED_KINDS:
            temperatures[head] = fit_temperature(
                prediction, target, weight=batch.get("weight"), mask=real_steps(task, head, batch)
            )
        if coverage is None:
            continue
        if task.kind == "classify":
            tempered = temper(task.kind, prediction, temperatures[head])
            conformal[head] = conformal_classes(tempered, target, coverage=coverage)
        elif task.kind in ("regress", "forecast") and real_steps(task, head, batch) is None:
            conformal[head] = conformal_numbers(prediction, target, coverage=coverage)
    return Calibration(temperatures, conformal or None)


def apply_calibration(
    kind: str, calibration: Calibration, predictions: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The predictions, those of heads with a temperature tempered."""
    return {
        head: temper(kind, values, calibration.temperature.get(head, 1.0))
        for head, values in predictions.items()
    }


def reliability(
    probabilities: Float[np.ndarray, "batch classes"],
    target: Int[np.ndarray, " batch"],
    *,
    num_bins: int = NUM_BINS,
) -> tuple[ReliabilityBin, ...]:
    """How often it is right against how sure it is, in bins of about equally many examples, unsure first."""
    confidence, right = probabilities.max(axis=1).astype(np.float64), probabilities.argmax(axis=1) == target
    place = equal_mass_bins(confidence, np.ones(len(confidence)), num_bins)
    bins = []
    for index in np.unique(place):
        inside = place == index
        num_right, count = int(right[inside].sum()), int(inside.sum())
        interval = wilson_interval(num_right, count)
        mean = float(confidence[inside].mean())
        bins.append(ReliabilityBin(count, mean, num_right / count, interval.low, interval.high))
    return tuple(bins)
