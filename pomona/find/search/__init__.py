"""Model search: networks are made by changing the best ones so far, trained, compared and joined."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "search": "engine",
        "SearchSettings": "settings",
        "SearchResult": "result",
        "Genome": "genome",
        "genome_hash": "genome",
    },
)
