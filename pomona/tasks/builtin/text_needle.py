"""`text-needle`: the facts of `needle` hidden in pages of Jane Austen's novels, character by character."""

import numpy as np
from jaxtyping import Int

from pomona.foundation.randomness import stream
from pomona.tasks.builtin.needle import FIRST_FILLER, NUM_VALUES, with_needles
from pomona.tasks.builtin.novels import read_chapters
from pomona.tasks.builtin.token_arrays import index_classes, split_sizes, task_of_tokens
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task

CHARACTERS = " abcdefghijklmnopqrstuvwxyz.,;:!?'\"-()0123456789_"
UNKNOWN = len(CHARACTERS)


def make(*, seed: int = 0, num_train: int = 1000, time: int = 4096) -> Task:
    """The task with `num_train` training pages of `time` characters, a fifth as many in valid and test.

    Two novels are kept for test, one for validation; `seed` decides which.
    """
    novels = list(read_chapters().values())
    order = stream(seed, "novels").permutation(len(novels))
    parts = {"train": order[:3], "valid": order[3:4], "test": order[4:]}
    splits = {}
    for split, count in split_sizes(num_train).items():
        generator = stream(seed, "text needle", split)
        ids = character_ids(" ".join(" ".join(novels[index]) for index in parts[split]))
        starts = generator.integers(0, len(ids) - time, count)
        splits[split] = with_needles(generator, FIRST_FILLER + ids[starts[:, None] + np.arange(time)])
    return task_of_tokens(
        "text-needle",
        "sequence",
        splits,
        Feature("text", "tokens", (time,), num_tokens=FIRST_FILLER + UNKNOWN + 1),
        Feature("value", "category", (time,), classes=index_classes(NUM_VALUES), variable=True),
        about=f"what was said of four keys somewhere in {time} characters of a novel",
        licence="public domain",
    )


def character_ids(text: str) -> Int[np.ndarray, " character"]:
    """The place of each character, in lower case, among CHARACTERS, or UNKNOWN."""
    table = np.full(0x110000, UNKNOWN, np.int64)
    table[[ord(character) for character in CHARACTERS]] = np.arange(len(CHARACTERS))
    return table[np.frombuffer(text.lower().encode("utf-32-le"), np.uint32)]
