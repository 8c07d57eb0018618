"""`cifar10-pixels`: CIFAR-10 as 1,024 grey levels one after another (the Long Range Arena's "Image")."""

import numpy as np

from pomona.tasks.batch import Batch
from pomona.tasks.builtin import cifar10
from pomona.tasks.builtin.token_arrays import task_of_tokens
from pomona.tasks.feature import Feature
from pomona.tasks.source import FiniteSource
from pomona.tasks.task import Task

TO_GREY = np.array([0.299, 0.587, 0.114])


def make(*, seed: int = 0) -> Task:
    """The task, with the splits of `cifar10`; a pixel is the token 1 + its level of 0 … 255."""
    colour = cifar10.make(seed=seed)
    return task_of_tokens(
        "cifar10-pixels",
        "classify",
        {split: _pixels(source) for split, source in colour.splits.items()},  # type: ignore[arg-type]
        Feature("pixels", "tokens", (1024,), num_tokens=257),
        Feature("object", "category", (), classes=cifar10.CLASSES),
        about="photographs of ten kinds of things as a sequence of grey pixels",
        licence=colour.licence,
    )


def _pixels(source: FiniteSource) -> Batch:
    raw = source.source.arrays  # type: ignore[attr-defined]
    grey = np.round(raw["image"] @ TO_GREY.astype(np.float32)).astype(np.uint16)
    return {"pixels": 1 + grey.reshape(len(grey), -1), "object": raw["object"]}
