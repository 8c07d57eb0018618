"""Pruning: networks in which most weights are zero, and how to get there."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "PruneSettings": "settings",
        "prune": "command",
        "prune_network": "network",
        "METHODS": "methods",
    },
)
