"""Test examples as they may come later: a few of each stress, so that their mean is cheap."""

from dataclasses import replace

import numpy as np

from pomona.fit.feeds import held_out
from pomona.foundation.randomness import stream
from pomona.question.stresses.families import FAMILIES
from pomona.question.stresses.strengths import STRENGTHS
from pomona.question.uncertainty.parts import CALIBRATE
from pomona.tasks.source import ArraySource, FiniteSource
from pomona.tasks.task import Task

NUM_EXAMPLES = 2000
"""Of all stresses together; each has an even share, but at least LEAST."""

LEAST = 20

CHANGING = ("corruptions", "audio", "table", "text", "series", "shifted")
"""Families that change what comes in; groups of test examples as they are, and pairs, are no shift."""


def shifted(task: Task, *, seed: int = 0) -> dict[str, FiniteSource]:
    """Stress → some of its examples, always the same, held in memory; empty where no stress fits.

    They are made from test examples, and the splits that a task has beside the usual ones.
    """
    test = held_out(task.splits["test"], name="test", seed=seed)
    splits = {name: source for name, source in task.splits.items() if name != CALIBRATE}
    plain = replace(task, splits={**splits, "test": test})
    families = [FAMILIES[name] for name in CHANGING]
    sources = {name: source for family in families for name, source in family(plain, seed).items()}
    share = max(LEAST, NUM_EXAMPLES // max(len(sources), 1))
    found: dict[str, FiniteSource] = {}
    for name, source in sources.items():
        held = held_out(source, name=name, seed=seed)
        # neighbours are made together: a stretch is many times cheaper than examples here and there
        first = int(stream(seed, "shifted", name).integers(0, max(held.size - share, 0) + 1))
        ids = np.arange(first, min(first + share, held.size))
        found[name] = ArraySource(held.read(ids))
    return found


def family_of(name: str) -> str:
    """The name of a stress without its severity.

    >>> family_of("fog-5"), family_of("missing-heavy"), family_of("camera")
    ('fog', 'missing', 'camera')
    """
    stem, _, _ = name.rpartition("-")
    return stem if severity_of(name) else name


def severity_of(name: str) -> str:
    """What the name of a stress ends with, where that is a severity; else ""."""
    _, dash, last = name.rpartition("-")
    return last if dash and (last.isdigit() or last in STRENGTHS) else ""
