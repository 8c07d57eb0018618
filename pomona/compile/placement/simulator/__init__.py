"""What a plan costs: an exact simulation of devices, links and memory, its timeline, and bounds on any plan."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Scores": "evaluate",
        "evaluate": "evaluate",
        "Timeline": "timeline",
        "simulate": "timeline",
        "Bounds": "bounds",
        "bounds": "bounds",
    },
)
