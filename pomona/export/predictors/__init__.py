"""Predictors: saved models that answer for a user's own records."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Predictor": "predictor",
        "save_network": "network",
        "save_ensemble": "ensemble",
    },
)
