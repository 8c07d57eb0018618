"""What is in this? Landmarks of people in photographs, videos and live streams. Never imports torch."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Holistic": "holistic",
        "HolisticSettings": "holistic",
        "HolisticRecord": "holistic",
        "Observation": "holistic",
        "perceive": "command",
    },
)
