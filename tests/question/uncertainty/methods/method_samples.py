"""Tiny tasks and networks of every kind for methods."""

import numpy as np

from pomona.fit.settings import FitSettings
from pomona.networks.spec import Block, Spec
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.source import ArraySource
from pomona.tasks.task import Task

NUM_CLASSES = 3

INPUTS = {
    "vector": Feature("x", "vector", (5,)),
    "image": Feature("x", "image", (1, 6, 6)),
    "series": Feature("x", "series", (6, 2)),
    "tokens": Feature("x", "tokens", (6,), num_tokens=9),
}

BODIES = {
    "dense": (
        "vector",
        (Block("one", "dense", {"width": 8}, ("x",)), Block("two", "residual_dense", {}, ("one",))),
    ),
    "convolutional": (
        "image",
        (
            Block("one", "convolution", {"width": 8}, ("x",)),
            Block("two", "residual", {"width": 8, "stride": 2}, ("one",)),
            Block("pool", "global_pool", {}, ("two",)),
        ),
    ),
    "recurrent": (
        "series",
        (
            Block("one", "gru", {"width": 6, "bidirectional": True}, ("x",)),
            Block("two", "lstm", {"width": 6}, ("one",)),
            Block("pool", "global_pool", {}, ("two",)),
        ),
    ),
    "transformer": (
        "tokens",
        (
            Block("one", "embed", {"width": 8, "positions": "learned"}, ("x",)),
            Block("two", "transformer", {"heads": 2, "head_width": 4}, ("one",)),
            Block("pool", "global_pool", {}, ("two",)),
        ),
    ),
}
"""Kind of network → the input that it reads and its blocks."""


def sample(network: str, kind: str) -> tuple[Task, Spec]:
    """A task that can be learned and a network for it; regression has two numbers."""
    input_kind, body = BODIES[network]
    feature = INPUTS[input_kind]
    random = np.random.default_rng(0)
    if input_kind == "tokens":
        x = random.integers(1, 9, (56, *feature.shape))
    else:
        x = random.normal(size=(56, *feature.shape)).astype(np.float32)
    if kind == "classify":
        y = np.digitize(x.reshape(56, -1).mean(1), np.quantile(x.reshape(56, -1).mean(1), (0.33, 0.67)))
    else:
        y = (10 + 3 * x.reshape(56, -1)[:, :2] + random.normal(size=(56, 2))).astype(np.float32)
    task = arrays_task(feature, x, y.astype(np.int64) if kind == "classify" else y, kind)
    shape = (NUM_CLASSES,) if kind == "classify" else (2,)
    head = Block("head", "head", {"shape": shape}, (body[-1].id,))
    return task, Spec(task.inputs, (*body, head), {"y": "head"})


def arrays_task(
    feature: Feature, x: np.ndarray, y: np.ndarray, kind: str, *, num_classes: int = NUM_CLASSES
) -> Task:
    """A task of arrays: the last 8 examples are the test split, 8 before them the valid split."""
    classes = tuple("abcdefgh"[:num_classes])
    if kind == "classify":
        target = Feature("y", "category", (), classes=classes)
    else:
        target = Feature("y", "number", y.shape[1:], center=10.0, scale=3.0)
    cuts = {"train": slice(0, -16), "valid": slice(-16, -8), "test": slice(-8, None)}
    splits = {name: ArraySource({"x": x[cut], "y": y[cut]}) for name, cut in cuts.items()}
    metric = "accuracy" if kind == "classify" else "rmse"
    return Task(
        name="sample",
        kind=kind,  # type: ignore[arg-type]
        inputs={"x": feature},
        targets={"y": target},
        splits=splits,
        metrics=(metric,),
        preprocessing=Preprocessing(()),
        fingerprint="sample",
    )


def asked(task: Task, num_examples: int = 8) -> dict[str, np.ndarray]:
    """Some examples of the test split."""
    return task.splits["test"].read(np.arange(num_examples))  # type: ignore[union-attr]


SMALL = {
    "samples": 3,
    "train_samples": 5,
    "members": 2,
    "features": 16,
    "factors": 2,
    "snapshots": 3,
    "levels": 5,
    "candidates": 2,
    "trials": 2,
}


def small(defaults, **fit) -> MethodSettings:
    """Few steps, and few members and samples of a method with these defaults."""
    settings = FitSettings(**{"steps": 2, "batch_size": 20, "evaluate_every": 1, **fit})
    return MethodSettings(settings, {name: value for name, value in SMALL.items() if name in defaults})
