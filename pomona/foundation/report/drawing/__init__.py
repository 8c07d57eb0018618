"""Charts as inline SVG whose places are percentages: text keeps its size at every width, without scripts."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"DRAWINGS": "kinds"})
