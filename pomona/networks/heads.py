"""The head that a target wants."""

from pomona.foundation.errors import SpecError
from pomona.networks.spec import Block
from pomona.tasks.feature import Feature


def head_block(kind: str, feature: Feature, source: str, id: str) -> Block:
    """The block that turns what `source` gives into the raw output for a target of this kind of task."""
    if kind in ("classify", "multilabel"):
        num_classes = len(feature.classes) or feature.shape[0]
        return Block(id, "head", {"shape": (num_classes,)}, (source,))
    if kind == "regress":
        return Block(id, "head", {"shape": feature.shape}, (source,))
    raise SpecError(f"no head yet for {kind}")
