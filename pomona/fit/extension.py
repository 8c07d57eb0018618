"""What a method adds to a fit: a changed network, a further objective, an eye on how it goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from pomona.fit.evaluate import Evaluation
from pomona.fit.objectives import Tensors

TaskLoss = Callable[[Tensors], Tensor]
"""From heads to the loss that the task itself has on the batch at hand, mixed examples included."""

Objective = Callable[[Tensors, Tensors, TaskLoss, float], Tensor]
"""The loss of a step from heads, batch, the task's own loss and the share of all steps that are done."""


class Constraint(Protocol):
    """Keeps the weights of one network to a rule while they move; all it does is in place.

    What it remembers is part of every checkpoint.
    """

    def before(
        self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor], step: int, num_steps: int
    ) -> None:
        """Called with the gradients of a step, before they are cut and the optimiser moves the weights."""
        ...

    def after(self, weights: Mapping[str, Tensor]) -> None:
        """Brings weights back to the rule: those that moved, or the average that is evaluated and kept."""
        ...

    def tensors(self) -> dict[str, Tensor]: ...

    def restore(self, tensors: Mapping[str, Tensor]) -> None: ...


@dataclass(frozen=True, eq=False)
class Extension:
    """Each part is optional; without any, a fit is the usual one. All must work under `torch.func.vmap`."""

    transform: Callable[[nn.Module, int], nn.Module] | None = None
    """From the network as built and its seed to the one that is trained. It takes the same inputs and returns
    the heads of all targets, in training perhaps more."""

    objective: Objective | None = None

    watch: Callable[[int, nn.Module, Evaluation], str] | None = None
    """Called after every evaluation with the steps done; a text ends the fit and says why. Of a population
    it sees every member."""

    constrain: Callable[[Mapping[str, Tensor], int], Constraint] | None = None
    """From the weights at the start, which it may change in place, and the seed to what holds them."""

    kept_from: float = 0.0
    """Share of the steps before which no weights count as the best, because the rule is not yet in force."""

    key: str = ""
    """What it is, with its settings: a checkpoint of another one is not gone on with."""


USUAL = Extension()


def given_weights(weights: Mapping[str, Tensor], key: str) -> Extension:
    """Every network begins with these weights, all of them."""

    def transform(network: nn.Module, seed: int) -> nn.Module:
        network.load_state_dict(dict(weights))
        return network

    return Extension(transform=transform, key=key)
