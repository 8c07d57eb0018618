"""The strong cheap methods that any network is compared with, by name in BASELINES."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {"baseline": "choice", "Baseline": "choice", "BASELINES": "table", "Method": "method"},
)
