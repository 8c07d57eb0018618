"""The head that a target wants, and what it reads."""

from pomona.foundation.errors import SpecError, unknown_name
from pomona.networks.signal import SignalKind
from pomona.networks.spec import Block
from pomona.tasks.feature import Feature

READS: dict[str, SignalKind] = {
    "classify": "vector",
    "multilabel": "vector",
    "regress": "vector",
    "forecast": "vector",
    "segment": "image",
    "sequence": "series",
    "language": "series",
}
"""Kind of task → the kind of signal that its head reads; a series as long as the target."""


def head_block(kind: str, feature: Feature, source: str, id: str) -> Block:
    """The block that turns what `source` gives into the raw output for this target.

    Raises SettingError for an unknown kind of task and SpecError for a target without classes.
    """
    if kind not in READS:
        raise unknown_name("kind of task", kind, READS)
    if READS[kind] == "vector":
        return vector_head_block(kind, feature, source, id)
    if kind == "segment":
        return Block(id, "pixel_head", {"classes": num_classes(feature), "size": feature.shape}, (source,))
    return Block(id, "step_head", {"classes": num_classes(feature)}, (source,))


def vector_head_block(kind: str, feature: Feature, source: str, id: str) -> Block:
    """The head for this target that reads a vector, whatever the kind of task."""
    if kind in ("regress", "forecast"):
        shape = feature.shape
    elif kind in ("classify", "multilabel"):
        shape = (num_classes(feature),)
    elif kind == "segment":
        shape = (num_classes(feature), *feature.shape)
    else:
        shape = (*feature.shape, num_classes(feature))
    return Block(id, "head", {"shape": shape}, (source,))


def num_classes(feature: Feature) -> int:
    """How many classes, labels or tokens a target has. Raises SpecError when it does not say."""
    known = (
        feature.num_tokens or len(feature.classes) or (feature.shape[0] if feature.kind == "labels" else 0)
    )
    if not known:
        raise SpecError(f"target {feature.name!r} has neither classes nor num_tokens")
    return known
