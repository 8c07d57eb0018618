"""From a user's table, or anything like one, to a Panel."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(__name__, {"read_panel": "panel", "Roles": "roles", "Reading": "panel"})
