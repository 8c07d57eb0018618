"""Compile: how fast does a network run, and where? Sparse networks that run faster on ordinary processors."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "SparseSession": "pomona.compile.sparse.session",
        "bench": "pomona.compile.stopwatch.command",
    },
)
