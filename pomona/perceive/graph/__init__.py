"""Pipelines as plain data: stages with named, typed inputs and outputs, checked, drawn and run on threads."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Stage": "stage",
        "Graph": "stage",
        "check": "soundness",
        "GraphError": "errors",
        "StageError": "errors",
        "Packet": "packet",
        "Result": "packet",
        "StageTimes": "timings",
        "Runner": "runner",
        "Live": "live",
        "draw": "picture",
    },
)
