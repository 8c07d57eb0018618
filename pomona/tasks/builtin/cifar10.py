"""`cifar10`: 60,000 photographs of ten kinds of things, 32 × 32 pixels in colour (Krizhevsky)."""

import numpy as np

from pomona.foundation.assets import fetch
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch, join_batches
from pomona.tasks.builtin.held_out import with_valid
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def make(*, seed: int = 0) -> Task:
    """The task, with the published test split of 10,000; validation is a sixth of the training images."""
    train = join_batches([_batch(f"data_batch_{number}.bin") for number in range(1, 6)])
    splits = with_valid(train, _batch("test_batch.bin"), "image", seed=seed)
    return task_of_arrays(
        "cifar10",
        "classify",
        splits,
        Preprocessing((fit_image("image", splits["train"]["image"]),)),
        {"object": Feature("object", "category", (), classes=CLASSES)},
        about="photographs of ten kinds of things, 32 × 32 pixels in colour",
        licence="none stated",
    )


def _batch(file: str) -> Batch:
    records = np.fromfile(fetch(f"cifar10/{file}"), np.uint8).reshape(-1, 3073)
    pixels = records[:, 1:].reshape(-1, 3, 32, 32)
    return {
        "image": np.ascontiguousarray(np.moveaxis(pixels, 1, 3)),
        "object": np.array(CLASSES, object)[records[:, 0]],
    }
