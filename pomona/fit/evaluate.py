"""Predictions and metrics of a network on examples, batch by batch and without gradients."""

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from pomona.fit.feeds import EVALUATED_AT_ONCE, Place, held_out, to_tensors
from pomona.fit.objectives import SMALLEST_TOTAL, Loss, Tensors
from pomona.foundation.errors import unknown_name
from pomona.tasks.batch import Batch
from pomona.tasks.metrics.measure import metric_rows, metric_values, primary_metric, primary_value
from pomona.tasks.outputs import prediction
from pomona.tasks.source import FiniteSource, batches
from pomona.tasks.task import Task


@dataclass(frozen=True)
class Evaluation:
    """How good a network is on a split."""

    values: dict[str, float]
    """Metrics by name, as `tasks.metrics.measure` names them."""
    score: float
    """The first metric, turned so that more is better; NaN when it has no meaning here."""
    loss: float
    """Of the objective; NaN when it was not asked for or a head is not finite."""
    rows: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    """One row of statistics an example of each metric, for intervals."""


def predict(
    network: nn.Module, source: FiniteSource, task: Task, *, batch_size: int = EVALUATED_AT_ONCE
) -> dict[str, np.ndarray]:
    """The predictions for every example of a source by target: probabilities, values in the target's unit.

    All of them are held in memory. Raises DataError when a head does not fit its target.
    """
    place = place_of(network)
    found: dict[str, list[np.ndarray]] = {name: [] for name in task.targets}
    with evaluating(network):
        for batch in batches(source, batch_size):
            heads = network(to_tensors(batch, task, place))
            for name, values in predictions(heads, task).items():
                found[name].append(values)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def evaluate(network: nn.Module, task: Task, split: str, *, seed: int = 0) -> dict[str, float]:
    """The task's metrics of a network on a split; of an endless one on 1000 examples drawn by `seed`."""
    return evaluation(network, task, split, seed=seed).values


def evaluation(
    network: nn.Module, task: Task, split: str, *, loss: Loss | None = None, seed: int = 0
) -> Evaluation:
    """Metrics, score, loss and the rows for intervals of a network on a split."""
    if split not in task.splits:
        raise unknown_name(f"split of task {task.name}", split, task.splits)
    source, place = held_out(task.splits[split], name=split, seed=seed), place_of(network)
    pairs = ((batch, to_tensors(batch, task, place)) for batch in batches(source, EVALUATED_AT_ONCE))
    return evaluate_batches(network, task, pairs, loss=loss)


def evaluate_batches(
    network: nn.Module, task: Task, pairs: Iterable[tuple[Batch, Tensors]], *, loss: Loss | None = None
) -> Evaluation:
    """The evaluation on batches, given as arrays and as tensors."""
    rows: dict[str, list[np.ndarray]] = {}
    sums, totals = np.zeros(len(task.targets)), np.zeros(len(task.targets))
    is_sound = True
    with evaluating(network):
        for batch, tensors in pairs:
            heads = network(tensors)
            if loss is not None:
                sums += [float(value) for value in loss.sums(heads, tensors)]
                totals += [float(value) for value in loss.totals(tensors)]
            is_sound = is_sound and all(bool(heads[name].isfinite().all()) for name in task.targets)
            if is_sound:
                for name, part in metric_rows(task, predictions(heads, task), batch).items():
                    rows.setdefault(name, []).append(part)
    if not is_sound or not rows:
        return Evaluation({}, math.nan, math.nan)
    value = float((sums / np.maximum(totals, SMALLEST_TOTAL)).sum()) if loss is not None else math.nan
    joined = {name: np.concatenate(parts) for name, parts in rows.items()}
    values = metric_values(task, joined)
    return Evaluation(values, score_of(task, values), value, joined)


def score_of(task: Task, values: Mapping[str, float]) -> float:
    """The first metric (of several targets the mean), turned so that more is better; NaN if missing."""
    value = primary_value(task, values)
    if value is None:
        return math.nan
    return value if primary_metric(task).greater_is_better else -value


def predictions(heads: Mapping[str, Tensor], task: Task) -> dict[str, np.ndarray]:
    """What raw heads mean, by target."""
    found = {}
    for name, feature in task.targets.items():
        head = heads[name].detach().cpu()
        # NumPy has no bfloat16
        head = head.float() if head.dtype is torch.bfloat16 else head
        found[name] = prediction(task.kind, head.numpy(), feature)
    return found


@contextlib.contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards the network is in the mode it was in."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        network.train(was_training)


def place_of(network: nn.Module) -> Place:
    """Where a network computes, by its first weight."""
    weight = next(network.parameters(), None)
    return Place() if weight is None else Place(str(weight.device), weight.dtype)
