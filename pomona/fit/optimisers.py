"""Optimisers by name, fused where torch has it: small networks are bound by the number of calls."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from pomona.fit.lion import Lion
from pomona.fit.settings import FitSettings

Groups = list[dict[str, Any]]


def make_optimiser(
    parameters: Mapping[str, Tensor], settings: FitSettings, *, decayed: Iterable[str] | None = None
) -> torch.optim.Optimizer:
    """The optimiser of `settings` over named parameters, of which those in `decayed` decay.

    Without `decayed` it is `decayed_names(parameters)`; a stack of members, whose leaves have one axis more,
    has to say.
    """
    chosen = decayed_names(parameters) if decayed is None else set(decayed)
    groups: Groups = []
    for is_decayed in (True, False):
        members = [p for name, p in parameters.items() if (name in chosen) == is_decayed]
        if members:
            groups.append({"params": members, "weight_decay": settings.weight_decay if is_decayed else 0.0})
    return OPTIMISERS[settings.optimizer](groups, settings)


def decayed_names(parameters: Mapping[str, Tensor]) -> set[str]:
    """The parameters that weight decay is for: matrices and kernels, not biases, norms and gates."""
    return {name for name, parameter in parameters.items() if parameter.ndim >= 2}


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimiser remembers, by "position of the weight/name"."""
    state = optimiser.state_dict()["state"]
    return {f"{at}/{k}": v for at, entry in state.items() for k, v in entry.items() if isinstance(v, Tensor)}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Goes back to what `optimiser_tensors` gave."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition("/")
        state.setdefault(int(index), {})[name] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _adamw(groups: Groups, settings: FitSettings) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, settings.learning_rate, betas=(settings.momentum, 0.999), fused=True)


def _adam(groups: Groups, settings: FitSettings) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, settings.learning_rate, betas=(settings.momentum, 0.999), fused=True)


def _sgd(groups: Groups, settings: FitSettings) -> torch.optim.Optimizer:
    momentum = settings.momentum
    return torch.optim.SGD(
        groups, settings.learning_rate, momentum=momentum, nesterov=momentum > 0, fused=True
    )


def _rmsprop(groups: Groups, settings: FitSettings) -> torch.optim.Optimizer:
    # torch has no fused one
    return torch.optim.RMSprop(groups, settings.learning_rate, momentum=settings.momentum, foreach=True)


def _lion(groups: Groups, settings: FitSettings) -> torch.optim.Optimizer:
    return Lion(groups, settings.learning_rate, betas=(settings.momentum, 0.99))


OPTIMISERS: dict[str, Callable[[Groups, FitSettings], torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "adam": _adam,
    "sgd": _sgd,
    "rmsprop": _rmsprop,
    "lion": _lion,
}
"""Name → optimiser of parameter groups."""
