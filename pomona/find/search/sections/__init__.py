"""Sections of the report that only a search has: leaders, progress, lineage, what things cost."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "finalists_section": "finalists",
        "leaders_section": "leaders",
        "pareto_section": "pareto",
        "pruning_section": "pruning",
        "leaderboard_section": "leaderboard",
        "progress_section": "progress",
        "lineage_section": "lineage",
        "tradeoff_section": "tradeoff",
        "pareto_front": "tradeoff",
    },
)
