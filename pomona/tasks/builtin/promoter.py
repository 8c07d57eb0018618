"""`promoter`: whether a stretch of DNA holds two motifs that belong together, thousands of bases apart.

Made-up DNA in the manner of promoter prediction: a TATA box stands at some place, and far behind it an
initiator. In a promoter the two belong to one family; in the others, which hold one of each too, they do not.
Each alone says nothing, and so does every window that is shorter than the distance.
"""

import numpy as np

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.batch import Batch
from pomona.tasks.builtin.token_arrays import split_sizes, task_of_tokens
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task

BASES = "ACGT"
FAMILIES = (("TATAAAAGGC", "CCATTCGACC"), ("CTATATATAG", "GGTCAGTTGG"))
"""A box and its initiator; both of length 10, so that random DNA of a few thousand bases hardly has one."""

MUTATION = 0.02
"""Chance that a base of a motif is another one."""


def make(*, seed: int = 0, num_train: int = 2000, time: int = 4096) -> Task:
    """The task with `num_train` training stretches of `time` bases, a fifth as many in valid and test.

    Box and initiator are at least half of `time` apart. Raises DataError when `time` is below 128.
    """
    if time < 128:
        raise DataError(f"promoter wants at least 128 bases, got {time}")
    splits = {
        split: draw_stretches(stream(seed, "promoter", split), count, time)
        for split, count in split_sizes(num_train).items()
    }
    return task_of_tokens(
        "promoter",
        "classify",
        splits,
        Feature("bases", "tokens", (time,), num_tokens=1 + len(BASES)),
        Feature("promoter", "category", (), classes=("no", "yes")),
        about=f"whether two motifs in {time} bases of DNA belong together (procedural)",
    )


def draw_stretches(generator: np.random.Generator, num_examples: int, time: int) -> Batch:
    """Ids of bases, 1 to 4, and whether each stretch is a promoter: half of them are."""
    bases = generator.integers(1, 1 + len(BASES), (num_examples, time))
    promoter = generator.permutation(np.arange(num_examples) % 2)
    family = generator.integers(0, 2, num_examples)
    motifs = np.array([[[1 + BASES.index(base) for base in motif] for motif in pair] for pair in FAMILIES])
    length = motifs.shape[2]
    quarter = time // 4 - length
    box = generator.integers(0, quarter, num_examples)
    initiator = generator.integers(time - quarter - length, time - length, num_examples)
    rows, within = np.arange(num_examples)[:, None], np.arange(length)
    bases[rows, box[:, None] + within] = _mutated(generator, motifs[family, 0])
    other = np.where(promoter == 1, family, 1 - family)
    bases[rows, initiator[:, None] + within] = _mutated(generator, motifs[other, 1])
    return {"bases": bases, "promoter": promoter.astype(np.int64)}


def _mutated(generator: np.random.Generator, motifs: np.ndarray) -> np.ndarray:
    others = generator.integers(1, 1 + len(BASES), motifs.shape)
    return np.where(generator.random(motifs.shape) < MUTATION, others, motifs)
