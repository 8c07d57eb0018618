"""Built-in sets of series, fetched when they are first used."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"SETS": "table", "Series": "table"})
