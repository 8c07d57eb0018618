"""`digits`: 1,797 handwritten digits, 8 × 8 pixels of 0 … 16 (UCI optical digits, in scikit-learn)."""

from typing import Any

import numpy as np

from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch, take
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.splits import content_keys, split_by_hash
from pomona.tasks.task import Task

CLASSES = tuple("0123456789")


def make(*, seed: int = 0) -> Task:
    """The task; splits by a hash of the pixels."""
    splits = digit_splits(seed)
    return task_of_arrays(
        "digits",
        "classify",
        splits,
        Preprocessing((fit_image("image", splits["train"]["image"]),)),
        {"digit": Feature("digit", "category", (), classes=CLASSES)},
        about="handwritten digits of 8 × 8 pixels",
        licence="CC BY 4.0",
    )


def digit_splits(seed: int) -> dict[str, Batch]:
    """Raw splits with `image` (height, width) in 0 … 16 and `digit`."""
    from sklearn.datasets import load_digits

    digits: Any = load_digits()
    raw = {"image": digits.images.astype(np.float32), "digit": digits.target}
    parts = split_by_hash(content_keys({"image": raw["image"]}), seed=seed)
    return {split: take(raw, ids) for split, ids in parts.items()}
