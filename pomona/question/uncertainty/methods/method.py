"""What a method is, and what it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from pomona.fit.trials.space import Space
from pomona.foundation.errors import SettingError
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.said import Said, SaidValues
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Fitted:
    """A network, or several, that say what they think of a batch and how sure they are."""

    say: Callable[[Batch], Said | SaidValues]
    """Of a prepared batch; equal batches are answered alike, also where numbers are drawn."""
    parameters: int
    """Numbers that were learned and are needed to answer."""
    flops: float
    """Operations of one answer, those of all members and repetitions together."""
    steps: int
    """Steps of the optimiser, of all members together."""
    fit_seconds: float
    state: Mapping[str, Tensor]
    """Every tensor that the answers depend on, by name."""
    settings: MethodSettings


class MethodFunction(Protocol):
    """Fits a method; `name` keys its random streams and the checkpoints below the run's folder."""

    def __call__(
        self, task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str
    ) -> Fitted: ...


@dataclass(frozen=True)
class Method:
    """One row of the table METHODS."""

    function: MethodFunction
    kinds: tuple[str, ...]
    """The kinds of tasks that it is for."""
    about: str
    """What it does, in one sentence."""
    space: Space
    """Which of its own settings are worth choosing, and from where."""
    source: str
    """The paper that describes it."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """All of its own settings."""


def only_target(task: Task, kinds: tuple[str, ...] = ("classify", "regress")) -> Feature:
    """The target of a task. Raises SettingError when it has several or is not of one of these kinds."""
    if task.kind not in kinds:
        raise SettingError(f"this method is for {' and '.join(kinds)}; task {task.name!r} is {task.kind}")
    if len(task.targets) > 1:
        names = ", ".join(task.targets)
        raise SettingError(f"this method is for one target; task {task.name!r} has {names}: leave one")
    return next(iter(task.targets.values()))
