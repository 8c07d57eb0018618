"""How sure a network is: methods that say it, and measures of how well they do."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Said": "said",
        "SaidValues": "said",
    },
)
