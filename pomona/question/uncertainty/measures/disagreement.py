"""How much members of an ensemble differ: members that all say the same add nothing but cost."""

import numpy as np

from pomona.question.uncertainty.measures.likelihood import Labels
from pomona.question.uncertainty.measures.measure import Measure
from pomona.question.uncertainty.said import Said


def disagreement(said: Said, truth: Labels) -> float | None:
    """Share of pairs of members that name different classes, over examples; None for fewer than two."""
    if said.members is None or len(said.members) < 2:
        return None
    num_members, _, num_classes = said.members.shape
    named = said.members.argmax(axis=-1)
    votes = (named[..., None] == np.arange(num_classes)).sum(axis=0)
    agreeing = (votes * (votes - 1)).sum(axis=-1) / (num_members * (num_members - 1))
    return float(1 - agreeing.mean())


DISAGREEMENT = (
    Measure("disagreement", disagreement, None, "share of pairs of members that name different classes"),
)
