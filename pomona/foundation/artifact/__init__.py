"""Artifacts: folders that hold a predictor as data, checked when they are read."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Artifact": "format",
        "FORMAT_VERSION": "format",
        "PREDICTORS": "format",
        "MIGRATIONS": "migrations",
        "write_artifact": "folder",
        "read_artifact": "folder",
        "is_artifact": "folder",
        "add_sections": "sections",
        "read_sections": "sections",
    },
)
