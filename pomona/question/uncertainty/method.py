"""What a method is: from a task and a network to something that says how sure it is.

Nothing here imports torch, so that names, spaces and settings can be listed at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from pomona.fit.settings import FitSettings
from pomona.fit.trials.space import Space
from pomona.foundation.errors import SettingError, unknown_name
from pomona.question.uncertainty.said import Said, SaidValues
from pomona.tasks.batch import Batch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class MethodSettings:
    """How a network is trained, and the method's own hyperparameters by name."""

    fit: FitSettings = field(default_factory=FitSettings)
    own: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A method after its fit."""

    say: Callable[[Batch], Said | SaidValues]
    """What it says of a prepared batch, with the same numbers every time."""
    parameters: int
    """All numbers that the fit found, those of every member included."""
    flops: float
    """Of one prediction, all members and samples included; as networks.cost counts them."""
    steps: int
    """Of optimisers, members' steps added up."""
    fit_seconds: float
    state: "dict[str, Tensor]"
    """Enough to say the same again."""
    settings: MethodSettings


MethodFunction = Callable[..., Fitted]
"""`f(task, spec, settings, *, run, name) -> Fitted`. `task` has one target and, beside train, valid and test,
a split `calibrate` that no fit may look at and no choice of settings is made by: for temperatures and sets.
`name` keys random streams and checkpoints."""


@dataclass(frozen=True)
class Method:
    """A way to be sure or unsure."""

    function: MethodFunction
    kinds: tuple[str, ...]
    """The kinds of task it is for."""
    about: str
    """One line."""
    space: Space
    """Its own hyperparameters; also fields of FitSettings where a method wants them tuned."""
    defaults: Mapping[str, Any]
    """The values of all hyperparameters in `space` when nothing else is said."""
    source: str
    """The paper, or what else it is from."""


def method_settings(method: Method, fit: FitSettings, own: Mapping[str, Any] | None = None) -> MethodSettings:
    """The settings of a method: defaults, and what is given of `own` in their place.

    Names that are fields of FitSettings change the fit; all of them stay in `own` too. Raises SettingError
    for a name that the method does not have, or a value outside its space.
    """
    given = own or {}
    for name in given:
        if name not in method.space.parameters:
            raise unknown_name("hyperparameter of this method", name, method.space.parameters)
    point = {**method.defaults, **given}
    if not method.space.contains(point):
        raise SettingError(f"these hyperparameters are outside the method's space: {point}")
    known = {entry.name for entry in fields(FitSettings)}
    return MethodSettings(replace(fit, **{n: v for n, v in point.items() if n in known}), point)
