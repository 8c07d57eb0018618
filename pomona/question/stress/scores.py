"""How each model does on each example of a split, as an array (member, example)."""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from pomona.fit.evaluate import evaluating, predictions
from pomona.fit.feeds import to_tensors
from pomona.fit.population import size
from pomona.fit.precision import place_of_run
from pomona.fit.subject import Subject
from pomona.foundation.errors import DataError, unknown_name
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.question.stress.asking import asking
from pomona.tasks.batch import Batch
from pomona.tasks.metrics import METRICS
from pomona.tasks.metrics.measure import real_steps
from pomona.tasks.source import FiniteSource, batches
from pomona.tasks.task import Task

BATCH_SIZE = 256

SCORES = {
    "classify": "accuracy",
    "segment": "accuracy",
    "sequence": "accuracy",
    "language": "accuracy",
    "multilabel": "exact_match",
    "regress": "mae",
    "forecast": "mae",
}
"""Kind of task → what is asked of one example: a metric that is a mean over examples."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What the models of a population make of the examples of one split."""

    values: Float[np.ndarray, "member batch"]
    """A share of right answers or an absolute error for each example; NaN in no place."""
    answers: np.ndarray | None
    """The class that each model gives each example (member, batch); None where there are none."""

    @property
    def means(self) -> Float[np.ndarray, " member"]:
        """The score of each model."""
        return self.values.mean(axis=1)


def score_name(task: Task) -> str:
    """The metric that `scores` gives for one example each. Raises SettingError for another kind of task."""
    if task.kind not in SCORES:
        raise unknown_name("kind of task for a stress test", task.kind, SCORES)
    return SCORES[task.kind]


def scores(subject: Subject, state: dict[str, Tensor], source: FiniteSource, *, run: Run) -> Scores:
    """Every model on every example, all models at once where that is faster.

    Raises DataError where examples have no score, or a model gives numbers that are not finite.
    """
    task, place = subject.task, place_of_run(run, subject.settings)
    network = build(subject.spec, 0).to(place.device, place.dtype)
    held = {name: tensor.to(place.device) for name, tensor in state.items()}
    values, answers = [], []
    with evaluating(network), asking(network, held, run) as ask:
        for batch in batches(source, BATCH_SIZE):
            heads = ask(to_tensors(batch, task, place))
            said = [predictions({k: v[m] for k, v in heads.items()}, task) for m in range(size(held))]
            values.append(np.stack([_values(task, one, batch) for one in said]))
            answers.append(_answers(task, said))
    joined = np.concatenate(values, axis=1)
    if not np.isfinite(joined).all():
        raise DataError("some examples have no score: each needs a target, and at least one real step of it")
    return Scores(joined, None if answers[0] is None else np.concatenate(answers, axis=1))


def consistency(task: Task, first: Scores, second: Scores) -> Scores:
    """How alike a model answers the two of each pair: 1 for the same class, 0 for another.

    Without classes: how much more wrong one answer is, and for shares of right steps 1 less that.
    """
    if first.answers is not None and second.answers is not None:
        return Scores((first.answers == second.answers).astype(np.float32), second.answers)
    apart = np.abs(first.values - second.values)
    return Scores(apart if score_name(task) == "mae" else 1 - apart, None)


def file_name(split: str) -> str:
    """A split's name as a file may have it."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", split)


def _values(task: Task, said: dict[str, np.ndarray], batch: Batch) -> Float[np.ndarray, " batch"]:
    """The mean over targets of an example's score; errors of several targets count by their scales."""
    metric, found = METRICS[score_name(task)], []
    for target, feature in task.targets.items():
        rows = metric.rows(said[target], batch[target], None, real_steps(task, target, batch))
        with np.errstate(invalid="ignore", divide="ignore"):
            value = rows[:, 0] / rows[:, 1]
        is_scaled = metric.unit == "target" and len(task.targets) > 1
        found.append(value / feature.scale if is_scaled else value)
    return np.mean(found, axis=0)


def _answers(task: Task, said: list[dict[str, np.ndarray]]) -> np.ndarray | None:
    if task.kind != "classify":
        return None
    target = next(iter(task.targets))
    return np.stack([one[target].argmax(-1) for one in said]).astype(np.int16)
