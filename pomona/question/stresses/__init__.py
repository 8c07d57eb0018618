"""What a model may meet: corrupted, shifted and regrouped test examples, as splits of the same task."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "CORRUPTIONS": "corruptions",
        "FAMILIES": "families",
        "ChangedSource": "changed",
    },
)
