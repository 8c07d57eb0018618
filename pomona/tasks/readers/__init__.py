"""Readers of users' own data: tables, arrays, folders of images and recordings."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "open_task": "open",
    },
)
