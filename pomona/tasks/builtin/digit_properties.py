"""`digit-properties`: which of five properties hold for a handwritten digit (several classes at once)."""

import numpy as np

from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.builtin.digits import digit_splits
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

PROPERTIES: dict[str, tuple[int, ...]] = {
    "even": (0, 2, 4, 6, 8),
    "prime": (2, 3, 5, 7),
    "square": (0, 1, 4, 9),
    "above four": (5, 6, 7, 8, 9),
    "with a loop": (0, 6, 8, 9),
}


def make(*, seed: int = 0) -> Task:
    """The task; the same images and splits as `digits`."""
    splits = digit_splits(seed)
    for raw in splits.values():
        digit = raw.pop("digit")
        raw["properties"] = np.stack([np.isin(digit, members) for members in PROPERTIES.values()], axis=1)
    return task_of_arrays(
        "digit-properties",
        "multilabel",
        splits,
        Preprocessing((fit_image("image", splits["train"]["image"]),)),
        {"properties": Feature("properties", "labels", (len(PROPERTIES),), classes=tuple(PROPERTIES))},
        about="properties of handwritten digits, several at once",
        licence="CC BY 4.0",
    )
