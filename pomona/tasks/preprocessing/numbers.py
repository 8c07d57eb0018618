"""Columns of numbers: standardised, heavy tails bent, missing values filled with the mean and indicated."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Shaped

from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.values import Decimal, as_numbers

CLIP = 10.0
"""Standardised values are kept within this: one absurd value must not blow up a network."""
LARGEST = 1e100
"""Numbers are kept within this, so that their squares are finite."""
HEAVY = 1.2
"""A column whose deviation is above this many interquartile ranges is bent by asinh (normal: 0.74)."""


def fit_numbers(
    columns: Mapping[str, Shaped[np.ndarray, " batch"]], *, output: str = "columns", decimal: Decimal = "."
) -> Step:
    """The step for training columns; columns that are constant or all missing give zeros."""
    settings: dict[str, list[float]] = {name: [] for name in ("pivot", "spread", "center", "scale")}
    indicated = []
    for index, values in enumerate(columns.values()):
        numbers = _numbers(values, decimal)
        present = numbers[~np.isnan(numbers)]
        if 0 < len(present) < len(numbers):
            indicated.append(index)
        for name, value in _fit_column(present).items():
            settings[name].append(value)
    return Step("numbers", tuple(columns), output, settings | {"indicated": indicated, "decimal": decimal})


def apply_numbers(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Standardised numbers (batch, columns and then indicators of missing ones), float32 within ±CLIP."""
    settings = step.settings
    numbers = np.stack([_numbers(raw[column], settings["decimal"]) for column in step.columns], axis=1)
    missing = np.isnan(numbers)
    spread = np.asarray(settings["spread"])
    bent = np.flatnonzero(spread > 0)
    numbers[:, bent] = _bend(numbers[:, bent], np.asarray(settings["pivot"])[bent], spread[bent])
    numbers = (numbers - np.asarray(settings["center"])) / np.asarray(settings["scale"])
    numbers = np.where(missing, 0.0, np.clip(numbers, -CLIP, CLIP))
    values = np.concatenate([numbers, missing[:, settings["indicated"]]], axis=1)
    return {step.output: values.astype(np.float32)}


def _fit_column(present: Float[np.ndarray, " present"]) -> dict[str, float]:
    if len(present) == 0:
        return {"pivot": 0.0, "spread": 0.0, "center": 0.0, "scale": 1.0}
    low, pivot, high = np.quantile(present, [0.25, 0.5, 0.75])
    spread = high - low if high > low and np.std(present) > HEAVY * (high - low) else 0.0
    values = _bend(present, pivot, spread) if spread else present
    center, scale = float(np.mean(values)), float(np.std(values))
    is_constant = scale <= 1e-12 * max(1.0, abs(center))
    return {
        "pivot": float(pivot),
        "spread": float(spread),
        "center": center,
        "scale": 1.0 if is_constant else scale,
    }


def _numbers(values: Shaped[np.ndarray, " batch"], decimal: Decimal) -> Float[np.ndarray, " batch"]:
    return np.clip(as_numbers(values, decimal), -LARGEST, LARGEST)


def _bend(values: np.ndarray, pivot: np.ndarray | float, spread: np.ndarray | float) -> np.ndarray:
    return np.arcsinh((values - pivot) / spread)
