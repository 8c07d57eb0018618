"""Automatic forecasting: series in, a forecast to trust and a model to serve out."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Panel": "problem",
        "Forecast": "problem",
        "Params": "problem",
        "QUANTILES": "problem",
        "Frequency": "frequency",
        "ForecastSettings": "settings",
    },
)
