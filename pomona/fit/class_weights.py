"""How much each class counts, so that rare ones are not neglected."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pomona.fit.feeds import READ_AT_ONCE
from pomona.foundation.errors import SettingError
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.source import FiniteSource, batches
from pomona.tasks.task import Task


def balanced_weights(task: Task, *, device: str = "cpu") -> dict[str, Float[Tensor, " classes"]]:
    """Target → weight of each class: the mean count by its own count among the training examples.

    All classes then count alike, and elements count 1 on average. For labels it is what a positive counts:
    the negatives by the positives. A class without examples counts 1. Weights and masks are respected.
    Cost: one pass over the training split. Raises SettingError where there are no classes to count.
    """
    source = task.splits["train"]
    if not isinstance(source, FiniteSource) or source.size is None:
        raise SettingError(
            f"class_weights balanced needs training examples that end; those of {task.name!r} do not"
        )
    if task.kind not in ("classify", "segment", "sequence", "multilabel"):
        raise SettingError(
            f"class_weights balanced is for tasks with classes, {task.name!r} is of kind {task.kind}"
        )
    counts = {name: np.zeros((2, _num_classes(feature))) for name, feature in task.targets.items()}
    for batch in batches(source, READ_AT_ONCE):
        for name in task.targets:
            counts[name] += _counts(batch, name, counts[name].shape[1], task.kind)
    return {name: _weights(count, task.kind).to(device) for name, count in counts.items()}


def _num_classes(feature: Feature) -> int:
    return len(feature.classes) or feature.shape[0]


def _counts(batch: Batch, name: str, num_classes: int, kind: str) -> Float[np.ndarray, "2 classes"]:
    """How much each class holds and, for labels, does not hold."""
    truth = batch[name]
    weight = np.asarray(batch.get("weight", np.ones(len(truth))), np.float64)
    if kind == "multilabel":
        return np.stack([weight @ truth, weight @ (1 - truth)])
    counted = np.broadcast_to(weight.reshape(-1, *[1] * (truth.ndim - 1)), truth.shape)
    mask = batch.get(mask_key(name))
    if mask is not None:
        counted = counted * mask
    held = np.bincount(truth.ravel(), weights=counted.ravel(), minlength=num_classes)
    return np.stack([held, np.zeros(num_classes)])


def _weights(count: Float[np.ndarray, "2 classes"], kind: str) -> Float[Tensor, " classes"]:
    held, missing = count
    wanted = missing if kind == "multilabel" else np.full(len(held), held.sum() / max((held > 0).sum(), 1))
    has_both = (held > 0) & (wanted > 0)
    return torch.tensor(np.where(has_both, wanted / np.where(has_both, held, 1), 1), dtype=torch.float32)
