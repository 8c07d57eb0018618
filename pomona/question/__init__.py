"""When a model is wrong: how sure it is, how it bears stress, and how it would learn from endless data."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {"uncertainty": "uncertainty.command", "stress": "stress.command", "bootstrap": "bootstrap.command"},
)
