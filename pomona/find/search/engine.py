"""A model search from a task to an artifact and a report."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pomona.find.search.artifacts import save_joined
from pomona.find.search.budgets import known_latencies, shrink_to_fit
from pomona.find.search.exploit import Joined, alone, assess_joined, join, library_of
from pomona.find.search.explore import explore
from pomona.find.search.finalists import Finalist, run_finals
from pomona.find.search.genome import Genome
from pomona.find.search.leaders import num_reevaluated, once_each, ranking
from pomona.find.search.models import Model, assess_model, model_of
from pomona.find.search.pareto import front
from pomona.find.search.problem import Problem, make_problem
from pomona.find.search.proposals import num_duplicates
from pomona.find.search.report import Findings, write_search_report
from pomona.find.search.result import Best, Choice, Counts, SearchResult
from pomona.find.search.settings import SearchSettings
from pomona.find.search.student import check_student, teach_student
from pomona.find.search.trainers.assignment import Origin, publish
from pomona.find.search.trainers.lead import train_together
from pomona.find.search.trainers.options import TrainerOptions
from pomona.find.search.trainers.place import Place, place_of
from pomona.find.search.yardstick import comparable_values, mean_values
from pomona.fit.assessment import Assessment
from pomona.fit.baselines import baseline
from pomona.fit.trials.optuna_store import OptunaStore
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Trial
from pomona.foundation.errors import SettingError
from pomona.foundation.run import Run
from pomona.networks.cost import parameters
from pomona.networks.named import known_blocks
from pomona.tasks.task import Task

NUM_TIMED = 6
"""Best models whose exported networks are timed for the report."""


def search(
    task: Task,
    settings: SearchSettings | None = None,
    *,
    run: Run,
    blocks: Path | None = None,
    command: str = "pomona search",
    trainers: TrainerOptions | None = None,
    origin: Origin | None = None,
) -> SearchResult:
    """The best network for a task, found by changing the best ones so far.

    Writes artifact/, report.html and the trials into the run's folder. In the folder of a run that was
    stopped or killed it goes on where that was. Several trainers need to know by `origin` where the task
    came from. Raises Interrupted, with everything saved, when the user stops it, and SettingError when no
    model keeps to the limits or none can be trained.
    """
    settings, trainers = settings or SearchSettings(), trainers or TrainerOptions()
    place = place_of(run.folder, trainers.store)
    problem = make_problem(task, settings, known_blocks(blocks))
    check_student(problem)
    problem = replace(problem, usual=shrink_to_fit(problem.usual, problem, run))
    with place.stores(grace_s=trainers.grace) as stores:
        _explore(problem, stores, run, place=place, trainers=trainers, origin=origin, blocks=blocks)
        return _concluded(problem, *stores, run, command=command, blocks=blocks)


def _concluded(
    problem: Problem,
    store: OptunaStore,
    finals_store: OptunaStore,
    run: Run,
    *,
    command: str,
    blocks: Path | None,
) -> SearchResult:
    """What comes of the trials: finalists, the winner, an ensemble, artifact and report."""
    task, settings = problem.task, problem.settings
    if not store.top_k(1):
        raise SettingError(_nothing_trained(store.all()))
    finalists = run_finals(problem, store, finals_store, run)
    trained = _models_of(finalists[0], store, finals_store)
    library = library_of(finalists, store, finals_store)
    joined = _joined(library, trained[0], problem, run)
    trials = store.all()
    student = teach_student(problem, library, trials, finalists[0].trial, run, command=command, blocks=blocks)
    latencies = known_latencies(ranking(trials)[:NUM_TIMED], problem, run)
    latency_ms = latencies.get(finalists[0].trial.number)
    best = _best(finalists[0], trained, problem, run, latency_ms=latency_ms)
    cheap = baseline(task, seed=run.seed)
    valid, test = (assess_joined(joined, problem, split, seed=run.seed) for split in ("valid", "test"))
    choice = _choice(joined, valid, test)
    scores = {"valid": valid.values, "test": test.values}
    save_joined(run.folder / "artifact", joined, problem, run, scores=scores, command=command, blocks=blocks)
    repeats = [repeat for finalist in finalists for repeat in finalist.repeats]
    measured = once_each([*trials, *repeats])
    unbeaten = front(measured, problem, run) if len(settings.objectives) > 1 else ()
    findings = Findings(
        problem, trials, finalists, best, choice, cheap, test, joined, latencies, unbeaten, student
    )
    write_search_report(run.folder, findings)
    return _result(findings, seconds=run.clock.spent())


def _joined(library: Sequence[Model], winner: Model, problem: Problem, run: Run) -> Joined:
    """The best ensemble of the library; the winner by itself where that is no better, or over a limit."""
    if problem.settings.max_params is None and problem.settings.max_latency_ms is None:
        joined = join(library, problem, run)
        if len(joined.models) > 1:
            return joined
    return alone(winner, problem, run)


def _explore(
    problem: Problem,
    stores: tuple[OptunaStore, OptunaStore],
    run: Run,
    *,
    place: Place,
    trainers: TrainerOptions,
    origin: Origin | None,
    blocks: Path | None,
) -> None:
    """Trains models here, or has trainers do that and train the finalists too."""
    if not trainers.are_many:
        if origin is not None:
            publish(stores[0], place, problem, run, origin=origin, blocks=blocks, grace_s=trainers.grace)
        explore(problem, stores[0], run)
        return
    if origin is None:
        raise SettingError("several trainers load the data themselves: say with origin= where they are")
    train_together(problem, stores, run, place=place, options=trainers, origin=origin, blocks=blocks)


def _models_of(winner: Finalist, store: TrialStore, finals_store: TrialStore) -> list[Model]:
    """The winner's trainings with fresh seeds, the best on validation first; its trial without any."""
    if not winner.repeats:
        return [model_of(winner.trial, store, f"trial-{winner.trial.number}")]
    ranked = sorted(winner.repeats, key=lambda repeat: -(repeat.score or 0.0))
    return [
        model_of(repeat, finals_store, f"trial-{winner.trial.number}-seed-{repeat.seed}") for repeat in ranked
    ]


def _best(
    winner: Finalist, trained: Sequence[Model], problem: Problem, run: Run, *, latency_ms: float | None
) -> Best:
    metric, task = problem.yardstick.metric, problem.task
    measured = {
        split: [
            comparable_values(task, assess_model(model, problem, split, seed=run.seed).values)
            for model in trained
        ]
        for split in ("valid", "test")
    }
    spec = Genome.from_json(winner.trial.genome).spec
    return Best(
        trial=winner.trial.number,
        valid=mean_values(measured["valid"]),
        test=mean_values(measured["test"]),
        test_of_seeds=tuple(values.get(metric, float("nan")) for values in measured["test"]),
        parameters=parameters(spec, blocks=problem.palette.blocks),
        latency_ms=latency_ms,
        standing=winner.standing,
    )


def _choice(joined: Joined, valid: Assessment, test: Assessment) -> Choice:
    task = valid.task
    return Choice(
        joined.combination,
        tuple(model.name for model in joined.models),
        joined.weights,
        comparable_values(task, valid.values),
        comparable_values(task, test.values),
    )


def _result(found: Findings, *, seconds: float) -> SearchResult:
    task, trials, cheap = found.problem.task, found.trials, found.baseline
    states = [trial.state for trial in trials]
    counts = Counts(
        completed=states.count("completed"),
        failed=states.count("failed"),
        pruned=states.count("pruned"),
        reevaluated=num_reevaluated(trials),
        duplicates_avoided=num_duplicates(trials),
    )
    return SearchResult(
        task=task.name,
        kind=task.kind,
        metric=found.problem.yardstick.metric,
        trials=counts,
        best=found.best,
        ensemble=found.choice,
        baseline={
            "name": cheap.name,
            "valid": comparable_values(task, cheap.valid),
            "test": comparable_values(task, cheap.test),
        },
        student=found.student and found.student.summary(found.problem.yardstick.metric),
        unbeaten=tuple(model.to_json(found.problem.yardstick.metric) for model in found.unbeaten),
        seconds=seconds,
        artifact="artifact",
        report="report.html",
    )


def _nothing_trained(trials: Sequence[Trial]) -> str:
    reasons = [trial.attributes.get("reason", "") for trial in trials]
    last = f"; the last one: {reasons[-1]}" if reasons else ""
    return f"none of {len(trials)} models could be trained within the limits{last}"
