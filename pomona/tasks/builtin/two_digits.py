"""`two-digits`: the sum of two handwritten digits, and which is larger (two inputs, two targets)."""

import numpy as np

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.builtin.digits import digit_splits
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

SIDES = ("equal", "left", "right")


def make(*, seed: int = 0, num_pairs: int = 4000) -> Task:
    """The task with `num_pairs` training pairs, a fifth as many in valid and test; a pair is of one split."""
    splits = {
        split: _pairs(
            raw, num_pairs if split == "train" else max(num_pairs // 5, 1), stream(seed, "pairs", split)
        )
        for split, raw in digit_splits(seed).items()
    }
    train = splits["train"]
    return task_of_arrays(
        "two-digits",
        "classify",
        splits,
        Preprocessing(tuple(fit_image(side, train[side], output=side) for side in ("left", "right"))),
        {
            "sum": Feature("sum", "category", (), classes=tuple(map(str, range(19)))),
            "larger": Feature("larger", "category", (), classes=SIDES),
        },
        about="the sum of two handwritten digits, and which is larger",
        licence="CC BY 4.0",
    )


def _pairs(raw: Batch, num_pairs: int, generator: np.random.Generator) -> Batch:
    left, right = generator.integers(len(raw["digit"]), size=(2, num_pairs))
    first, second = raw["digit"][left], raw["digit"][right]
    larger = np.array(SIDES, object)[np.where(first > second, 1, np.where(first < second, 2, 0))]
    return {"left": raw["image"][left], "right": raw["image"][right], "sum": first + second, "larger": larger}
