"""Live perception in a browser: the page opens the camera, this machine finds the landmarks."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "LiveSettings": "settings",
        "Limits": "settings",
        "live_command": "command",
        "make_app": "app",
    },
)
