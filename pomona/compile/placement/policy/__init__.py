"""A policy that reads a graph and decides placement, order and fusion in one shot: GO, and its rivals."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "NetworkSettings": "settings",
        "PolicySettings": "settings",
        "GraphOptimizer": "network",
        "go_one": "optimise",
        "zero_shot": "optimise",
        "fine_tune": "optimise",
        "train": "train",
        "hierarchical": "hierarchical",
        "incremental": "incremental",
    },
)
