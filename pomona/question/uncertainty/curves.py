"""The curves of a report: reliability and risk of classes, levels of foretold values, as plain data."""

from typing import Any

import numpy as np

from pomona.fit.calibration import reliability
from pomona.question.uncertainty.measures.likelihood import is_right
from pomona.question.uncertainty.measures.quantiles import LEVELS, quantile
from pomona.question.uncertainty.measures.selective import SCORE, risk_curve
from pomona.question.uncertainty.said import Said, SaidValues

NUM_POINTS = 21


def curves(said: Said | SaidValues, truth: np.ndarray) -> dict[str, Any]:
    """Name → columns of the curve.

    reliability  confidence, accuracy, low, high (Wilson), count: bins of equally many examples, unsure first
    selective    answered, accuracy: of the surest share of examples
    levels       level, share: how many truths are below the quantile of each level
    """
    if isinstance(said, SaidValues):
        return _levels(said, truth)
    bins = reliability(said.probabilities, truth)
    risks = risk_curve(said.scores[SCORE], 1 - is_right(said, truth))
    answered = np.linspace(1 / NUM_POINTS, 1, NUM_POINTS)
    places = np.maximum(np.round(answered * len(risks)).astype(int), 1) - 1
    return {
        "reliability": {
            name: [getattr(one, name) for one in bins]
            for name in ("confidence", "accuracy", "low", "high", "count")
        },
        "selective": {"answered": answered.tolist(), "accuracy": (1 - risks[places]).tolist()},
    }


def _levels(said: SaidValues, truth: np.ndarray) -> dict[str, Any]:
    levels = sorted(LEVELS if said.quantiles is None else said.quantiles)
    found = [(level, quantile(said, level)) for level in levels]
    kept = [(level, float((truth <= value).mean())) for level, value in found if value is not None]
    if not kept:
        return {}
    return {"levels": {"level": [level for level, _ in kept], "share": [share for _, share in kept]}}
