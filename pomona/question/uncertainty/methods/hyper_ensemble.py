"""Hyper-deep ensembles (Wenzel et al. 2020): members differ in their hyperparameters too.

As published, candidates are drawn at random, members are taken greedily, with replacement, so that the mean
of those taken does best on validation examples (Caruana et al. 2004). The paper then fits every member again
with several seeds; here every candidate already has a seed of its own.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from pomona.fit.evaluate import predict
from pomona.fit.feeds import held_out, read_all
from pomona.fit.settings import FitSettings
from pomona.fit.trials.space import Choice, Space
from pomona.foundation.randomness import stream, stream_seed
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import answer, fitted
from pomona.question.uncertainty.methods.deep_ensemble import heads_in_turn
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import Trained, train
from pomona.tasks.metrics import METRICS
from pomona.tasks.task import Task

DEFAULTS = {"members": 4, "candidates": 6, "spread": 4.0}
SPACE = Space({"spread": Choice((2.0, 4.0, 10.0))})


def hyper_ensemble(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """`members` of `candidates` networks, whose rates are the settings' times 1 / `spread` to `spread`."""
    target, own = only_target(task).name, settings.chosen(DEFAULTS)
    candidates = [
        train(
            task,
            spec,
            varied(settings.fit, task.kind, own["spread"], seed=stream_seed(run.seed, name, index)),
            run=replace(run, seed=stream_seed(run.seed, "member", f"{name}/{index}")),
            name=f"{name}-{index}",
        )
        for index in range(own["candidates"])
    ]
    taken = greedy(predictions(task, target, candidates), _truth(task, target), task.kind, own["members"])
    members = [candidates[index] for index in taken]
    say = answer(task, members[0].network, heads_in_turn([one.network for one in members], target))
    chosen = list({id(one): one for one in members}.values())
    found = fitted(chosen, spec, say, settings, passes=len(members) / len(chosen))
    spent = sum(one.result.seconds for one in candidates)
    return replace(found, steps=sum(one.result.steps for one in candidates), fit_seconds=spent)


def varied(fit: FitSettings, kind: str, spread: float, *, seed: int) -> FitSettings:
    """Settings with another learning rate, weight decay and, of classes, label smoothing."""
    generator = stream(seed, "hyper ensemble")
    rate, decay = spread ** generator.uniform(-1, 1, 2)
    smoothing = float(generator.uniform(0, 0.1)) if kind == "classify" else fit.label_smoothing
    return replace(
        fit,
        learning_rate=fit.learning_rate * float(rate),
        weight_decay=fit.weight_decay * float(decay),
        label_smoothing=smoothing,
    )


def predictions(
    task: Task, target: str, candidates: Sequence[Trained]
) -> Float[np.ndarray, "candidate batch ..."]:
    """What each candidate predicts of the validation examples."""
    source = held_out(task.splits["valid"], name="valid", seed=0)
    return np.stack([predict(one.network, source, task)[target] for one in candidates]).astype(np.float64)


def greedy(
    predicted: Float[np.ndarray, "candidate batch ..."], truth: np.ndarray, kind: str, num_members: int
) -> list[int]:
    """Positions of the members, repeats included: each the one with which the mean so far does best."""
    metric = METRICS["nll" if kind == "classify" else "rmse"]
    taken: list[int] = []
    total = np.zeros_like(predicted[0])
    for size in range(1, num_members + 1):
        losses = [
            metric.value(metric.rows((total + one) / size, truth, None, None)) or 0.0 for one in predicted
        ]
        taken.append(int(np.argmin(losses)))
        total = total + predicted[taken[-1]]
    return taken


def _truth(task: Task, target: str) -> np.ndarray:
    return read_all(held_out(task.splits["valid"], name="valid", seed=0))[target]
