"""Lion: the sign of a momentum (Chen et al. 2023, Symbolic Discovery of Optimization Algorithms)."""

from collections.abc import Callable, Iterable
from typing import Any

import torch

from pomona.fit import foreach


class Lion(torch.optim.Optimizer):
    """Moves every weight by the learning rate, up or down.

    It wants a learning rate three to ten times smaller than AdamW's and a decay as many times larger.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One move, along the gradients that are there."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [weight for weight in group["params"] if weight.grad is not None]
            if moved:
                self._move(moved, group)
        return loss

    def _move(self, weights: list[torch.Tensor], group: dict[str, Any]) -> None:
        first, second = group["betas"]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        momenta = [self.state[weight]["momentum"] for weight in weights]
        directions = foreach.lerp(momenta, gradients, 1 - first)
        foreach.sign_(directions)
        foreach.scale_(weights, 1 - group["lr"] * group["weight_decay"])
        foreach.add_(weights, directions, factor=-group["lr"])
        foreach.lerp_(momenta, gradients, 1 - second)
