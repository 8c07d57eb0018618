"""From a subject to the systems whose time is taken, and the samples they are asked with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pomona.compile.stopwatch.library import Library, from_file, from_task, made_up, numbers_only
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.systems.address import Address
from pomona.compile.stopwatch.systems.encoding import Bodies
from pomona.compile.stopwatch.systems.function import Function, find_function
from pomona.compile.stopwatch.systems.model import Model, model_systems, open_model
from pomona.compile.stopwatch.systems.program import LineByLine, OncePerQuery
from pomona.compile.stopwatch.systems.subject import Subject
from pomona.compile.stopwatch.systems.system import Connection, System
from pomona.export.artifact_task import artifact_task
from pomona.foundation.console import Console
from pomona.foundation.errors import InputError, SettingError
from pomona.tasks.load import load_task
from pomona.tasks.options import DataOptions
from pomona.tasks.task import Task

QUICK_EXAMPLES = 1000
"""On which quality is measured in a quick run."""


@dataclass(frozen=True)
class Opened:
    """What is measured, with what, and against which truth."""

    systems: list[System]
    library: Library
    task: Task | None
    """With the truth; None where nothing labelled is there."""
    model: Model | None


def open_subjects(
    subjects: Sequence[Subject],
    settings: BenchSettings,
    data: DataOptions,
    *,
    seed: int,
    console: Console | None = None,
) -> Opened:
    """The systems behind subjects, which answer the same queries: those of the first one's task.

    `console` shows how far it is where a runtime has to be tuned before it answers. Raises InputError where
    something is missing or does not fit.
    """
    each: list[Opened] = []
    for subject in subjects:
        task = each[0].task if each else None
        model = None
        if subject.kind in ("artifact", "file"):
            model = open_model(subject, settings.blocks, console)
        each.append(_open(subject, model, settings, data, task, seed=seed))
        if each[-1].task is not None and each[0].task is not None:
            _check_same(subjects[0], each[0].task, subject, each[-1].task)
    if len(each) == 1:
        return each[0]
    systems = [
        replace(system, name=_name(subject, system, opened))
        for subject, opened in zip(subjects, each, strict=True)
        for system in opened.systems
    ]
    return replace(each[0], systems=systems)


def _open(
    subject: Subject,
    model: Model | None,
    settings: BenchSettings,
    data: DataOptions,
    task: Task | None,
    *,
    seed: int,
) -> Opened:
    task = _task(subject, model, settings, data) or task
    if model is not None:
        library = _samples(model, task, settings, seed=seed).renamed(model.shapes)
        systems = model_systems(model, settings.runtime, library, threads=settings.threads)
        return Opened(systems, library, task, model)
    if settings.runtime != "auto":
        raise SettingError(f"--runtime is for artifacts and model files, not for {subject.text}")
    library = _samples(None, task, settings, seed=seed)
    heads = tuple(task.targets) if task else ("output",)
    system = outside_system(subject, settings, library, heads)
    return Opened([system], system.library, task, None)


def _check_same(first: Subject, task: Task, other: Subject, its_task: Task) -> None:
    if task.fingerprint != its_task.fingerprint:
        raise SettingError(
            f"{first.text} answers {task.name}, {other.text} answers {its_task.name}: "
            "only what answers the same is compared"
        )


def _name(subject: Subject, system: System, opened: Opened) -> str:
    """How one of several is called."""
    if opened.model is None:
        return system.name
    return subject.text if len(opened.systems) == 1 else f"{subject.text} on {system.runtime}"


def outside_system(
    subject: Subject, settings: BenchSettings, library: Library, heads: Sequence[str]
) -> System:
    """An address, a function or a command as a system."""
    limit = settings.timeout_s
    if subject.kind == "function":
        function = find_function(subject.text)
        return System(subject.text, "function", lambda: Function(function, library, heads), library)
    form = settings.send if subject.kind == "address" else "json"
    bodies = Bodies(library, form)
    # queries are drawn from the samples whose bodies are ready to be sent
    sent = replace(library, most_loaded=min(library.most_loaded, bodies.num_kept))

    def connect() -> Connection:
        if subject.kind == "address":
            return Address(subject.text, bodies, form, heads, timeout_s=limit)
        kind = LineByLine if settings.lines else OncePerQuery
        return kind(subject.words, bodies, heads, timeout_s=limit)

    return System(subject.text, "http" if subject.kind == "address" else "command", connect, sent)


def _task(subject: Subject, model: Model | None, settings: BenchSettings, data: DataOptions) -> Task | None:
    if model is None or model.artifact is None:
        return load_task(settings.task, **data.given()) if settings.task else None
    try:
        return artifact_task(subject.path, model.artifact, task=settings.task, data=data)
    except InputError:
        # without its data a model can still be timed
        if settings.task:
            raise
        return None


def _samples(model: Model | None, task: Task | None, settings: BenchSettings, *, seed: int) -> Library:
    if settings.inputs is not None:
        return from_file(settings.inputs)
    if task is not None:
        return from_task(task, seed=seed, most=QUICK_EXAMPLES if settings.quick else None)
    return numbers_only() if model is None else made_up(model.shapes, model.path.name, seed=seed)
