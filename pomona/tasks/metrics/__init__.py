"""How success is measured: one table METRICS, each metric made of one row of statistics an example."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "METRICS": "table",
        "DEFAULT_METRICS": "table",
        "Metric": "metric",
        "metric_rows": "measure",
        "metric_values": "measure",
    },
)
