"""Would a network be better if it never saw an example twice? The real world against the ideal one."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "bootstrap": "command",
        "BootstrapSettings": "settings",
        "two_worlds": "two_worlds",
        "Curves": "curves",
        "gaps": "gap",
        "Gap": "gap",
        "WORLDS": "worlds",
    },
)
