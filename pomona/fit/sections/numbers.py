"""How far predicted numbers are from the true ones."""

from typing import Any

import numpy as np

from pomona.fit.assessment import Assessment
from pomona.foundation.report import line, scatter, series

MOST_POINTS = 800


def numbers_section(assessment: Assessment, target: str) -> list[dict[str, Any]]:
    """The items of the section: predicted against true values, or of a forecast the error by step ahead."""
    true, said = assessment.truth[target], assessment.predictions[target]
    unit = assessment.task.targets[target].unit
    if assessment.task.kind == "forecast":
        errors = np.abs(said - true).mean(axis=(0, 2))
        ahead = list(range(1, len(errors) + 1))
        return [line([series("mean absolute error", ahead, errors)], "steps ahead", f"error {unit}".strip())]
    flat_true, flat_said = true.reshape(-1), said.reshape(-1)
    step = -(-len(flat_true) // MOST_POINTS)
    points = [
        (float(t), float(s), "", "test") for t, s in zip(flat_true[::step], flat_said[::step], strict=True)
    ]
    return [scatter(points, f"true {unit}".strip(), f"predicted {unit}".strip())]
