"""Recipes: one file a published model system, with its command, its minutes and the score to expect."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "spoken_digits": "audio",
        "narrow_band": "audio",
        "gain_shift": "audio",
        "sound_tasks": "audio",
        "compare_data_sizes": "image_recognition",
        "fine_tune": "image_recognition",
        "find_needles": "long_sequences",
        "needle_network": "long_sequences",
    },
)
