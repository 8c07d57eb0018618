"""Strategies of search: what to try next, given what was tried. Plain functions over any space of points."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "METHODS": "methods",
        "SearchSpace": "strategy",
        "Strategy": "strategy",
        "StrategySettings": "strategy",
        "Suggestion": "strategy",
        "Shrunken": "leaders",
        "Winner": "leaders",
        "leader_to_repeat": "leaders",
        "shrunken_means": "leaders",
        "winner": "leaders",
    },
)
