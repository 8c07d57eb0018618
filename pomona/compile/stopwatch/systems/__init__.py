"""Systems under test: whatever answers queries, behind one interface."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "System": "system",
        "Connection": "system",
        "open_subjects": "open",
        "parse_all": "subject",
        "Subject": "subject",
    },
)
