"""Tasks of the form of MNIST: 70,000 grey images of 28 × 28 in four IDX files, with their own test split."""

import numpy as np

from pomona.foundation.assets import fetch
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.builtin.held_out import with_valid
from pomona.tasks.builtin.idx import read_idx
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.image import fit_image
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task


def grey_image_task(
    name: str, target: str, classes: tuple[str, ...], *, seed: int, about: str, licence: str
) -> Task:
    """The task of the assets `name/…`. Validation is a sixth of the training images, by a hash of pixels."""
    splits = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        labels = read_idx(fetch(f"{name}/{prefix}-labels-idx1-ubyte"))
        splits[split] = {
            "image": read_idx(fetch(f"{name}/{prefix}-images-idx3-ubyte")),
            target: np.array(classes, object)[labels],
        }
    splits = with_valid(splits["train"], splits["test"], "image", seed=seed)
    return task_of_arrays(
        name,
        "classify",
        splits,
        Preprocessing((fit_image("image", splits["train"]["image"]),)),
        {target: Feature(target, "category", (), classes=classes)},
        about=about,
        licence=licence,
    )
