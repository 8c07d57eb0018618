"""Members: what may forecast, from the simplest on; one file each, in one table."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"MEMBERS": "table", "Member": "table"})
