"""Which model? Model search, and automatic forecasting on top of it."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"search": "command", "forecast": "forecasting.command"})
