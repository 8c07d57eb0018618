"""Weights and data that are never committed: what Pomona knows, and how a verified local copy is had."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "catalogue": "entries",
        "fetch": "locate",
        "named": "entries",
        "status": "locate",
        "verify": "locate",
        "Asset": "entries",
        "Source": "entries",
    },
)
