"""Tables of what every point of a small space scores: searches are replayed on them in seconds."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "TABLES": "catalogue",
        "Regret": "regret",
        "Table": "table",
        "read_table": "reading",
        "replay": "regret",
        "tables_named": "catalogue",
    },
)
