"""Pose, hands and face of every person in view: up to 543 landmarks (553 with irises) a person a frame."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Holistic": "holistic",
        "HolisticSettings": "settings",
        "HolisticRecord": "record",
        "Observation": "record",
    },
)
