"""Whether it is as sure as it is right."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pomona.fit.calibration import reliability
from pomona.foundation.report import line, series, text


def calibration_section(
    probabilities: Float[np.ndarray, "batch classes"],
    target: Int[np.ndarray, " batch"],
    *,
    temperature: float = 1.0,
) -> list[dict[str, Any]]:
    """The items of the section: how often it is right against how sure it is, on test data."""
    bins = [b for b in reliability(probabilities, target) if b.count]
    confidence, right = [b.confidence for b in bins], [b.accuracy for b in bins]
    chart = line(
        [series("perfect", [0.0, 1.0], [0.0, 1.0]), series("this model", confidence, right)],
        "confidence",
        "right",
        y_format="percent",
        caption="Test examples in bins of equal size by the probability of the predicted class.",
    )
    said = (
        f"Probabilities are softened by a temperature of {temperature:.3g}, fitted on validation data: "
        "above 1 the network was too sure of itself, below 1 not sure enough."
    )
    return [chart, text(said)]
