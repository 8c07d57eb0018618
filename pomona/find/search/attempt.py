"""One trial from its genome to its score and weights."""

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save
from torch import Tensor

from pomona.find.search.budgets import refusal
from pomona.find.search.genome import Genome
from pomona.find.search.leaders import first_training, is_reevaluation
from pomona.find.search.models import WEIGHTS
from pomona.find.search.problem import Problem
from pomona.find.search.pruning import is_pruned, watch_of
from pomona.find.search.teachers import lessons_of, teachers_of
from pomona.find.search.training import Heritage, fit_name, inherited, train, valid_values
from pomona.fit.result import FitResult
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import PomonaError, SpecError
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.cost import flops, parameters

LEARNING_SHARE = 0.5
"""A parent that was best before this share of its steps had begun to learn by heart: more training would make
its child worse, which then starts from nothing."""


def attempt(trial: Trial, problem: Problem, store: TrialStore, run: Run) -> Trial:
    """The ended trial: completed with score and weights, pruned for a limit, or failed.

    A model that breaks fails its trial and not the search; interrupts and wrong input go through.
    """
    genome = Genome.from_json(trial.genome)
    try:
        reason = refusal(genome.spec, problem, run)
    except SpecError as error:
        reason = str(error)
    if reason is not None:
        return store.prune(trial.number, reason)
    try:
        heritage = heritage_of(trial, genome, problem, store, run)
        teachers = teachers_of(trial, problem, store)
        result = _trained(trial, genome, problem, store, run, heritage=heritage, teachers=teachers)
    except SpecError as error:
        return store.fail(trial.number, str(error))
    except PomonaError:
        raise
    except Exception as error:
        return store.fail(trial.number, said(error))
    if result.failed:
        return store.fail(trial.number, result.failed)
    if is_pruned(result.stopped):
        return store.prune(trial.number, result.stopped)
    share = heritage.share if heritage else 0.0
    return keep(trial, genome, result, problem, store, inherited_share=share, teachers=teachers)


def keep(
    trial: Trial,
    genome: Genome,
    result: FitResult,
    problem: Problem,
    store: TrialStore,
    *,
    inherited_share: float = 0.0,
    teachers: Sequence[int] = (),
) -> Trial:
    """Completes a trial with what its training gave; the weights are there before it counts as completed."""
    store.add_artifact(trial.number, WEIGHTS, save(result.state))
    values = valid_values(result, problem)
    blocks = problem.palette.blocks
    attributes: dict[str, Any] = {
        "parameters": parameters(genome.spec, blocks=blocks),
        "flops": flops(genome.spec, blocks=blocks),
        "steps": result.steps,
        "best_step": result.best_step,
        "seconds": result.seconds,
        "inherited": inherited_share,
        "taught_by": list(teachers),
    }
    return store.finish(trial.number, problem.yardstick.score(values), values, attributes)


def load_weights(store: TrialStore, number: int) -> dict[str, Tensor]:
    """The trained weights of a completed trial."""
    return load_file(store.path(number, WEIGHTS))


def _trained(
    trial: Trial,
    genome: Genome,
    problem: Problem,
    store: TrialStore,
    run: Run,
    *,
    heritage: Heritage | None,
    teachers: Sequence[int],
) -> FitResult:
    lessons = lessons_of(teachers, genome, problem, store, run)
    name = fit_name(trial)
    if is_reevaluation(trial):
        # as finalists are trained, so that a finalist is not trained so again
        factor = problem.settings.finalist_steps
        return train(genome, problem, run, name=name, factor=factor, heritage=heritage, lessons=lessons)
    watch = watch_of(trial, problem, store, run)
    return train(genome, problem, run, name=name, heritage=heritage, lessons=lessons, watch=watch)


def heritage_of(
    trial: Trial, genome: Genome, problem: Problem, searched: TrialStore, run: Run
) -> Heritage | None:
    """The weights that a trial starts from; None where it starts from nothing.

    A training with a fresh seed starts from what the first one of its model did: weights that came down a
    long line of models are the fruit of many more steps than one training has.
    """
    parents = first_training(trial, searched).parents
    if not parents or not problem.settings.inherit:
        return None
    parent = searched.all()[parents[0]]
    if parent.attributes["best_step"] < LEARNING_SHARE * parent.attributes["steps"]:
        return None
    key = f"{trial.genome_hash} {trial.seed}" if is_reevaluation(trial) else trial.genome_hash
    seed = stream_seed(run.seed, "inherit", key)
    state = load_weights(searched, parent.number)
    return inherited(genome, Genome.from_json(parent.genome), state, problem, seed=seed)


def said(error: Exception) -> str:
    """What went wrong in one line, with the place of the last call."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    message = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}: {message}"
