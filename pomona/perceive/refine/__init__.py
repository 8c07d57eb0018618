"""Eyes, lips and irises, finer than the face mesh has them: 478 points a face."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {"AttentionMesh": "attention"},
)
