"""Sections of the report that only a search has: leaderboard, progress, lineage, size against latency."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "finalists_section": "finalists",
        "leaderboard_section": "leaderboard",
        "progress_section": "progress",
        "lineage_section": "lineage",
        "tradeoff_section": "tradeoff",
        "pareto_front": "tradeoff",
    },
)
