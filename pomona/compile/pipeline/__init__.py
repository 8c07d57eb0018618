"""Partition and pipeline: a model cut into stages that run as processes on cores of their own."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "partition": "command",
        "PartitionSettings": "settings",
        "Pipeline": "pipeline",
    },
)
