"""Would another seed behave otherwise? Many models of one pipeline under stress (D'Amour et al. 2020)."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "StressSettings": "settings",
        "components": "statistics.components",
        "findings": "statistics.finding",
    },
)
