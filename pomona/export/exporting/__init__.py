"""Exporting: an artifact's network as files for other programs, each checked against the artifact."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "export_artifact": "command",
        "ExportSettings": "settings",
        "quantised": "quantise",
    },
)
