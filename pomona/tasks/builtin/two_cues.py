"""`two-cues`: a side that either of two cues tells, so that training does not say which one to go by.

In train, valid and test both cues agree. On the split `conflict` the second one is right half of the time
only: a network that goes by the first cue stays right, one that goes by the second does not. Which it goes by
hangs on its seed, and no score on test shows it.
"""

import numpy as np

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.numbers import fit_numbers
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.targets import category_target
from pomona.tasks.task import Task

NOISE = 0.1
"""Deviation of a cue around -1 or 1."""

MISTAKEN = 0.03
"""Share of examples whose side is told wrong: no network can be better than this."""

NUM_IRRELEVANT = 4


def make(*, seed: int = 0, num_train: int = 1000) -> Task:
    """The task with `num_train` training examples, half as many in valid, 2000 in test and in conflict."""
    if num_train < 20:
        raise DataError(f"two-cues wants at least 20 training examples, got {num_train}")
    sizes = {"train": num_train, "valid": num_train // 2, "test": 2000, "conflict": 2000}
    splits = {
        split: draw_cues(stream(seed, "two cues", split), size, do_agree=split != "conflict")
        for split, size in sizes.items()
    }
    columns = {name: values for name, values in splits["train"].items() if name != "side"}
    return task_of_arrays(
        "two-cues",
        "classify",
        splits,
        Preprocessing((fit_numbers(columns),)),
        {"side": category_target("side", splits["train"]["side"])},
        about="a side told by two cues that only the split conflict tells apart (procedural)",
        licence="CC0-1.0",
        notes=("on the split conflict the second cue is right half of the time",),
    )


def draw_cues(generator: np.random.Generator, num_examples: int, *, do_agree: bool) -> Batch:
    """The columns `first cue`, `second cue`, some without meaning, and the side."""
    is_right = generator.random(num_examples) < 0.5
    sign = np.where(is_right, 1.0, -1.0)
    other = sign if do_agree else np.where(generator.random(num_examples) < 0.5, sign, -sign)
    told = is_right ^ (generator.random(num_examples) < MISTAKEN)
    columns = {
        "first cue": sign + NOISE * generator.standard_normal(num_examples),
        "second cue": other + NOISE * generator.standard_normal(num_examples),
    }
    for index in range(NUM_IRRELEVANT):
        columns[f"irrelevant {index + 1}"] = generator.standard_normal(num_examples)
    return {**columns, "side": np.where(told, "right", "left").astype(object)}
