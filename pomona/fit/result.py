"""What a fit leaves, and how far it is while it lasts."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from torch import Tensor

from pomona.fit.early_stopping import Best
from pomona.networks.spec import Spec


@dataclass(frozen=True)
class FitResult:
    """A fitted network and how it came to be."""

    spec: Spec
    state: dict[str, Tensor]
    """The weights, on the CPU: those that did best on validation, unless `keep` is "last"."""
    steps: int
    """Steps of the optimiser that were done."""
    seconds: float
    """Spent, those before a resume included; of a population, by all members together."""
    history: list[dict[str, Any]]
    """One entry an evaluation: step, epoch, loss, learning_rate, valid, valid_loss."""
    valid: dict[str, float]
    """Metrics of `state` on the validation split."""
    best_step: int = 0
    """Steps done when `state` was taken."""
    stopped: str = ""
    """Why before the last step: "early stopping" or "seconds"; "" when all steps were done."""
    failed: str = ""
    """Why it broke off: `state` then is from before, if need be from the start; "" when all went well."""


@dataclass
class Member:
    """How far one of the networks that are trained together is."""

    best: Best = field(default_factory=Best)
    kept_step: int = 0
    valid: dict[str, float] = field(default_factory=dict)
    """Metrics of the weights that are kept."""
    history: list[dict[str, Any]] = field(default_factory=list)
    last_step: int = 0
    """Steps done when it ended or was last evaluated."""
    stopped: str = ""
    failed: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it ended before its last step."""
        return bool(self.stopped or self.failed)


@dataclass
class Course:
    """How far a fit is: together with tensors, all that it needs to go on."""

    members: list[Member]
    step: int = 0
    read_at: int = 0
    """Steps done when the training losses were last read."""
    seconds: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether every member ended before its last step."""
        return all(member.is_over for member in self.members)

    def to_json(self) -> dict[str, Any]:
        """The course as plain data."""
        members = [{**asdict(member), "best": member.best.to_json()} for member in self.members]
        return {**asdict(self), "members": members}

    @staticmethod
    def from_json(plain: dict[str, Any]) -> "Course":
        """The course that `to_json` wrote."""
        members = [
            replace(Member(**member), best=Best.from_json(member["best"])) for member in plain["members"]
        ]
        return Course(**{**plain, "members": members})
