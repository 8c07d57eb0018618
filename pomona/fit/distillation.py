"""Distillation: a network learns from what a teacher says of the training examples, and from the truth.

A teacher's probabilities tell how alike classes are, which the truth does not (Hinton, Vinyals and Dean 2015,
Distilling the Knowledge in a Neural Network). The teacher sees each example once, as it is, not each of its
variations: what it says is computed once and can be kept.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from pomona.fit.assessment import Predict
from pomona.fit.extension import USUAL, Extension, Objective, TaskLoss
from pomona.fit.loop import fit
from pomona.fit.objectives import Tensors, plain_loss, task_loss, weighted_mean
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError
from pomona.foundation.run import Run
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.spec import Spec
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.outputs import CLASS_AXIS
from pomona.tasks.source import FiniteSource, batches
from pomona.tasks.task import Task

DISTILLED_KINDS = ("classify", "multilabel", "segment", "sequence", "regress", "forecast")
"""Kinds of tasks that have it. The teacher of a language would give every token there is a probability."""

TAUGHT_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Lessons:
    """What a teacher says of every training example, and how far it counts."""

    predictions: Mapping[str, Float[np.ndarray, "batch ..."]]
    """By target, as `tasks.outputs.prediction` gives them: probabilities, or values in the target's unit."""

    share: float = 0.5
    """Of the loss, from 0, the truth alone, to 1, the teacher alone."""

    temperature: float = 1.0
    """What raw outputs of both are divided by; above 0. A high one tells more of unlikely classes."""

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise SettingError(f"a teacher's share of the loss is from 0 to 1, got {self.share}")
        if not 0 < self.temperature < float("inf"):
            raise SettingError(f"temperature must be above 0 and finite, got {self.temperature}")


@dataclass(frozen=True)
class TaughtSource:
    """The examples of a source with what a teacher says of each."""

    source: FiniteSource
    taught: Mapping[str, np.ndarray] = field(repr=False)

    @property
    def size(self) -> int:
        return self.source.size

    def read(self, ids: Int[np.ndarray, " batch"]) -> Batch:
        return {**self.source.read(ids), **{name: array[ids] for name, array in self.taught.items()}}


def can_be_taught(task: Task) -> bool:
    """Whether the task has distillation: its kind does, and its training examples can be counted."""
    return task.kind in DISTILLED_KINDS and task.splits["train"].size is not None


def taught_by(predict: Predict, task: Task) -> dict[str, np.ndarray]:
    """What a teacher predicts for every training example of a task that can be taught, by target.

    All of it is held in memory.
    """
    source = task.splits["train"]
    assert isinstance(source, FiniteSource)
    found: dict[str, list[np.ndarray]] = {name: [] for name in task.targets}
    for batch in batches(source, TAUGHT_AT_ONCE):
        said = predict(batch)
        for name, parts in found.items():
            parts.append(np.asarray(said[name], np.float32))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def distil(
    task: Task,
    spec: Spec,
    settings: FitSettings,
    lessons: Lessons,
    *,
    run: Run | None = None,
    name: str = "fit",
    weights: Mapping[str, Tensor] | None = None,
    blocks: Mapping[str, BlockKind] = BLOCKS,
    extension: Extension = USUAL,
) -> FitResult:
    """What `fit` gives when the loss of a step is (1 - share) · the task's + share · distance to a teacher.

    The distance of probabilities is the divergence of the network's from the teacher's, both at the
    temperature, times its square, which keeps gradients of one size; that of values is the squared difference
    in the target's scale. The objective of an extension takes the place of the task's loss. Raises
    SettingError for a task without distillation, and for mixed examples, of which the teacher has said
    nothing.
    """
    if not can_be_taught(task):
        raise SettingError(
            f"distillation is for {', '.join(DISTILLED_KINDS)} and for training examples that end; "
            f"{task.name!r} is a {task.kind} task of {task.splits['train'].size or 'endless'} examples"
        )
    if settings.mixup or settings.cutmix:
        raise SettingError("a teacher says nothing of mixed examples: set mixup and cutmix to 0")
    taught = _scaled(task, lessons.predictions)
    objective = _objective(task, lessons, extension.objective)
    joined = replace(extension, objective=objective, key=f"{extension.key} {_key(lessons)}")
    return fit(
        _with_lessons(task, taught), spec, settings,
        run=run, name=name, weights=weights, blocks=blocks, extension=joined,
    )  # fmt: skip


def distance(kind: str, head: Tensor, teacher: Tensor, temperature: float) -> Float[Tensor, "batch *axes"]:
    """How far raw outputs are from what a teacher says, of every element of the target; at least 0.

    `teacher` are probabilities, or values on the scale of the raw outputs.
    """
    if kind in CLASS_AXIS:
        axis = CLASS_AXIS[kind]
        wanted = functional.log_softmax(_log(teacher) / temperature, dim=axis)
        said = functional.log_softmax(head / temperature, dim=axis)
        return temperature**2 * (wanted.exp() * (wanted - said)).sum(dim=axis)
    if kind == "multilabel":
        wanted = (_log(teacher) - _log(1 - teacher)) / temperature
        nats = functional.binary_cross_entropy_with_logits
        chance = torch.sigmoid(wanted)
        least = nats(wanted, chance, reduction="none")
        return temperature**2 * (nats(head / temperature, chance, reduction="none") - least)
    return (head - teacher) ** 2


def _objective(task: Task, lessons: Lessons, further: Objective | None) -> Objective:
    counted = plain_loss(task_loss(task, FitSettings())).targets

    def objective(heads: Tensors, batch: Tensors, own: TaskLoss, share_done: float) -> Tensor:
        truth = own(heads) if further is None else further(heads, batch, own, share_done)
        total = (1 - lessons.share) * truth
        for loss in counted:
            teacher = batch[_key_of(loss.target)]
            apart = distance(task.kind, heads[loss.target], teacher, lessons.temperature)
            total = total + lessons.share * weighted_mean(apart, loss.weights(batch))
        return total

    return objective


def _with_lessons(task: Task, taught: Mapping[str, np.ndarray]) -> Task:
    """The task with what the teacher says as further inputs of its training split, which no network reads."""
    source = task.splits["train"]
    assert isinstance(source, FiniteSource)
    # numbers are neither varied nor mixed
    features = {name: Feature(name, "number", array.shape[1:]) for name, array in taught.items()}
    return replace(
        task,
        inputs={**task.inputs, **features},
        splits={**task.splits, "train": TaughtSource(source, taught)},
    )


def _scaled(task: Task, predictions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The predictions by their names in a batch, values on the scale of raw outputs."""
    found = {}
    for name, feature in task.targets.items():
        array = np.asarray(predictions[name], np.float32)
        if task.kind in ("regress", "forecast"):
            array = (array - np.float32(feature.center)) / np.float32(feature.scale)
        found[_key_of(name)] = array
    return found


def _key_of(target: str) -> str:
    return f"teacher of {target}"


def _key(lessons: Lessons) -> str:
    """Equal for lessons that teach the same."""
    hashed = hashlib.blake2b(f"{lessons.share} {lessons.temperature}".encode(), digest_size=16)
    for name, array in sorted(lessons.predictions.items()):
        hashed.update(name.encode())
        hashed.update(array.tobytes())
    return f"taught {hashed.hexdigest()}"


def _log(probability: Tensor) -> Tensor:
    return probability.clamp_min(torch.finfo(probability.dtype).tiny).log()
