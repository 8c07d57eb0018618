"""Forecasting networks: what may be chosen, how one is trained, and the search for good ones."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Sight": "space",
        "forecasting_space": "space",
        "starting_points": "space",
        "fit": "member",
        "predict": "member",
    },
)
