"""The changes of a pipeline that are compared: one thing at a time, all else as asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pomona.fit.settings import FitSettings, Optimizer
from pomona.fit.subject import Subject
from pomona.foundation.errors import unknown_name
from pomona.networks.pretrained import beginning
from pomona.networks.spec import Spec
from pomona.question.bootstrap.settings import BootstrapSettings, listed
from pomona.tasks.task import Task

RATES: dict[Optimizer, float] = {"adamw": 3e-3, "adam": 3e-3, "sgd": 0.1, "rmsprop": 1e-3, "lion": 3e-4}
"""Learning rate of each optimiser, unless the user gives one: none suits all of them."""


@dataclass(frozen=True, eq=False)
class Variant:
    """A pipeline to train in both worlds."""

    axis: str
    """What differs from the pipeline as asked for: network, augment, optimizer, start; "" for that itself."""
    value: str
    spec: Spec
    settings: FitSettings
    start: str = ""
    """Where its first weights come from, "" for the usual ones."""

    @property
    def name(self) -> str:
        """A name for people, and for streams and checkpoints."""
        return f"{self.axis} {self.value}" if self.axis else "as asked for"


def variants(subject: Subject, world: Task, network: str, settings: BootstrapSettings) -> list[Variant]:
    """The pipeline as asked for, then one for every other value of every axis. Raises SettingError."""
    course = subject.settings
    base = Variant("", "", subject.spec, course)
    found = [base]
    for value in listed(settings.networks):
        if value != network:
            found.append(replace(base, axis="network", value=value, spec=beginning(value, world).spec))
    for value in listed(settings.augments):
        if value != course.augment:
            found.append(replace(base, axis="augment", value=value, settings=replace(course, augment=value)))
    found += [
        replace(base, axis="optimizer", value=value, settings=other)
        for value, other in _optimisers(course, settings)
    ]
    for value in listed(settings.starts):
        found.append(replace(base, axis="start", value=value, start=value))
    return found


def _optimisers(course: FitSettings, settings: BootstrapSettings) -> Iterator[tuple[str, FitSettings]]:
    is_given = course.learning_rate != FitSettings().learning_rate
    for value in listed(settings.optimizers):
        if value not in RATES:
            raise unknown_name("optimizer", value, RATES)
        if value != course.optimizer:
            rate = course.learning_rate if is_given else RATES[value]
            yield value, replace(course, optimizer=value, learning_rate=rate)
