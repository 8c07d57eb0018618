"""The artifact of a search: an ensemble with its members as children, or one network."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pomona.export.predictors.ensemble import save_ensemble
from pomona.export.predictors.network import save_network
from pomona.find.search.exploit import Joined
from pomona.find.search.problem import Problem
from pomona.fit.card import model_card
from pomona.fit.feeds import held_out
from pomona.foundation.run import Run
from pomona.tasks.batch import Batch


def save_joined(
    folder: Path,
    joined: Joined,
    problem: Problem,
    run: Run,
    *,
    scores: Mapping[str, Mapping[str, float]],
    command: str,
    blocks: Path | None,
    what: str = "",
) -> Path:
    """Writes the artifact and returns its folder; of several models an ensemble, of one a network.

    `what` says what it is on its card, in place of the usual words.
    """
    task, example = problem.task, example_of(problem, run)
    calibration = joined.calibration.to_json()
    count = len(joined.models)
    usual = "a network found by search" if count == 1 else f"an ensemble of {count} networks found by search"
    card = model_card(task, what or usual, scores.get("test", {}), command=command)
    if count == 1:
        model = joined.models[0]
        return save_network(
            folder, task, model.genome.spec, model.weights(), example=example,
            calibration=calibration, metrics=scores, card=card, blocks=blocks,
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="pomona-") as temporary:
        members = {
            model.name: save_network(
                Path(temporary) / model.name, task, model.genome.spec, model.weights(), blocks=blocks
            )
            for model in joined.models
        }
        weights = dict(zip(members, joined.weights, strict=True))
        return save_ensemble(
            folder, task, members, weights, example=example,
            calibration=calibration, metrics=scores, card=card, blocks=blocks,
        )  # fmt: skip


def example_of(problem: Problem, run: Run) -> Batch:
    """A few prepared examples: to trace and to compare exported networks on."""
    source = held_out(problem.task.splits["valid"], name="valid", seed=run.seed)
    return source.read(np.arange(min(4, source.size)))
