"""Searches that make a plan better for as long as they are given."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__, {"search_plan": "annealing", "DECISIONS": "pomona.compile.placement.settings"}
)
