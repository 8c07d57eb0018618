"""Choosing one of many models by a stress, on examples that no result is made from."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from pomona.export.predictors.network import save_network
from pomona.fit.card import model_card
from pomona.fit.evaluate import evaluate
from pomona.fit.feeds import held_out
from pomona.fit.subject import Subject
from pomona.foundation.errors import unknown_name
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.question.stress.population import Population
from pomona.question.stress.scores import score_name
from pomona.question.stress.settings import StressSettings
from pomona.question.stress.splits import Splits, make_splits
from pomona.question.stress.table import scored

ARTIFACT = "artifact"


@dataclass(frozen=True, eq=False)
class Pick:
    """The model that does best on the stress it was chosen by."""

    stress: str
    member: int
    seed: int
    scores: Float[np.ndarray, " member"]
    """Of all models on what the choice was made by."""


def validation_splits(subject: Subject, settings: StressSettings, *, run: Run) -> Splits:
    """The stresses made from validation examples. Raises SettingError unless the one to pick by is there."""
    task = subject.task
    held = replace(task, splits={**task.splits, "test": task.splits["valid"]})
    splits = make_splits(held, settings, seed=run.seed)
    if settings.pick not in splits.stresses:
        raise unknown_name("stress to pick by", settings.pick, splits.stresses)
    return splits


def pick_model(subject: Subject, splits: Splits, name: str, models: Population, *, run: Run) -> Pick:
    """The best model on the stress `name` of the validation examples, saved as the run's artifact."""
    found = scored(subject, models.state, name, splits.stresses[name], run.child("pick"))
    means = found.means
    is_error = score_name(subject.task) == "mae"
    member = int(np.argmin(means) if is_error else np.argmax(means))
    pick = Pick(name, member, models.seeds[member], means)
    _save(subject, models, pick, run=run)
    return pick


def _save(subject: Subject, models: Population, pick: Pick, *, run: Run) -> None:
    task = subject.task
    state = {name: tensor[pick.member].clone() for name, tensor in models.state.items()}
    network = build(subject.spec, 0)
    network.load_state_dict(state)
    tested = evaluate(network, task, "test", seed=run.seed)
    remark = f"Chosen of {len(models.seeds)} seeds by the stress {pick.stress} on validation examples."
    command = f"pomona stress {subject.name} --models {len(models.seeds)} --pick {pick.stress}"
    card = model_card(task, f"seed {pick.seed}", tested, command=command, remarks=[remark])
    example = held_out(task.splits["valid"], name="valid", seed=run.seed).read(np.arange(4))
    save_network(
        run.folder / ARTIFACT, task, subject.spec, state, example=example, metrics={"test": tested}, card=card
    )
