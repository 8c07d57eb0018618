"""Test examples as they may come later: a few of each stress, so that their mean is cheap."""

from dataclasses import replace

import numpy as np

from pomona.fit.feeds import held_out
from pomona.foundation.randomness import stream
from pomona.question.stresses.families import FAMILIES
from pomona.question.uncertainty.parts import CALIBRATE
from pomona.tasks.source import ArraySource, FiniteSource
from pomona.tasks.task import Task

NUM_EXAMPLES = 2000
"""Of all stresses together; each has an even share, but at least LEAST."""

LEAST = 20
USUAL = ("train", "valid", "test", CALIBRATE)


def shifted(task: Task, *, seed: int = 0) -> dict[str, FiniteSource]:
    """Stress → some of its examples, always the same, held in memory; empty where no stress fits.

    They are the families of `question.stresses`, made from test examples, and the splits that a task has
    beside the usual ones.
    """
    test = held_out(task.splits["test"], name="test", seed=seed)
    plain = replace(task, splits={**task.splits, "test": test})
    sources = {name: source for family in FAMILIES.values() for name, source in family(plain, seed).items()}
    sources |= {name: source for name, source in task.splits.items() if name not in USUAL}
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

    >>> family_of("fog-5"), family_of("camera")
    ('fog', 'camera')
    """
    stem, dash, severity = name.rpartition("-")
    return stem if dash and severity.isdigit() else name
