"""The stopwatch: load generated to MLPerf's rules, for any system that answers."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "bench": "command",
        "BenchSettings": "settings",
        "SCENARIOS": "scenarios",
        "most_over": "early_stopping",
        "queries_needed": "early_stopping",
        "Timings": "timings",
        "drive": "drive",
        "highest_rate": "peak",
    },
)
