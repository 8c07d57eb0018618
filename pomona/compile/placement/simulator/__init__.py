"""What a plan costs: devices, links and memory simulated exactly, its timeline, and bounds on any plan.

`evaluate.evaluate` scores many plans, `timeline.simulate` shows one, `bounds.bounds` says what none can beat.
"""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Scores": "evaluate",
        "Timeline": "timeline",
        "simulate": "timeline",
        "Bounds": "bounds",
    },
)
