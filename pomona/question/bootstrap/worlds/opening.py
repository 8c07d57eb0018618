"""Which world a subject and `--world` mean.

subject             world       what the ideal world is
a world's name      auto        that world
FILE.py             auto        what the file's function `draw` draws (see `user_file`)
a task, artifact    auto, data  its training examples, none of which is used twice
a task, artifact    a name      a world made from that task
a task, artifact    FILE.py     what the file draws, prepared as the task's raw examples are
"""

from dataclasses import dataclass, replace
from pathlib import Path

from pomona.fit.settings import FitSettings
from pomona.fit.subject import Subject, resolve
from pomona.foundation.artifact import is_artifact
from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.files import read_text
from pomona.foundation.run import Run
from pomona.networks.pretrained import beginning
from pomona.question.bootstrap.checks import as_same_course, same_course
from pomona.question.bootstrap.worlds import WORLDS
from pomona.question.bootstrap.worlds.user_file import file_task, task_from_file
from pomona.tasks.options import DataOptions
from pomona.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Opening:
    """A pipeline and the world to ask about, before anything costly is made."""

    subject: Subject
    """Its task is the world itself, or what the world is made from."""
    world: str
    """A name of WORLDS, the path of a file, or "" where the subject's task is the world."""
    source: str
    """The text of the user's file, "" without one."""

    @property
    def name(self) -> str:
        """The world's name for titles and results."""
        return self.world or ("data" if self.subject.task.splits["train"].size else self.subject.name)


def opening(
    subject: str, world: str, network: str, *, data: DataOptions, settings: FitSettings, seed: int
) -> Opening:
    """What a user's words mean; an artifact brings its own settings where `settings` are the usual ones.

    Raises SettingError for a wrong name, DataError for a wrong file.
    """
    if subject in WORLDS and not WORLDS[subject].of_task:
        if world not in ("auto", subject):
            raise SettingError(f"{subject} is a world of its own: leave out --world {world}")
        return _standing_alone(subject, WORLDS[subject].make(seed=seed), network, settings)
    if subject.endswith(".py"):
        if world != "auto":
            raise SettingError(f"{subject} is a world of its own: leave out --world {world}")
        task = file_task(Path(subject), seed=seed)
        return replace(_standing_alone(subject, task, network, settings), source=read_text(Path(subject)))
    found = _resolved(subject, network, data, settings)
    if world in ("auto", "data"):
        return Opening(found, "", "")
    if world.endswith(".py"):
        return Opening(found, world, read_text(Path(world)))
    made_from_tasks = [name for name, kind in WORLDS.items() if kind.of_task]
    if world not in made_from_tasks:
        raise unknown_name("world that is made from a task", world, ["auto", "data", *made_from_tasks])
    return Opening(found, world, "")


def world_of(opened: Opening, *, run: Run) -> Task:
    """The world as a task; the training split is what the ideal world learns from."""
    task = opened.subject.task
    if not opened.world:
        return task
    if opened.source:
        return task_from_file(Path(opened.world), task, seed=run.seed)
    return WORLDS[opened.world].make(task, run=run)


def _resolved(subject: str, network: str, data: DataOptions, settings: FitSettings) -> Subject:
    if not is_artifact(subject):
        return resolve(subject, network, data, settings=settings)
    is_usual = settings == same_course(FitSettings())
    found = resolve(subject, network, data, settings=None if is_usual else settings)
    # its weights have seen the examples: what is asked is how its pipeline learns them
    return replace(found, weights=None, settings=as_same_course(found.settings))


def _standing_alone(name: str, task: Task, network: str, settings: FitSettings) -> Opening:
    start = beginning(network, task)
    return Opening(Subject(task, start.spec, settings, name, start.weights), "", "")
