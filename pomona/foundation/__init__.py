"""What all else stands on: errors, files, runs, artifacts, assets, reports, statistics. No torch here."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Run": "run",
        "open_run": "run",
        "temporary_run": "run",
        "PomonaError": "errors",
        "InputError": "errors",
    },
)
