"""Methods that say how sure they are: one function each, in one table."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "METHODS": "table",
        "Method": "method",
        "Fitted": "method",
        "MethodSettings": "settings",
    },
)
