"""Networks that a method has fitted, ready to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from pomona.fit.extension import USUAL, Extension
from pomona.fit.loop import fit
from pomona.fit.members import fit_population
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.networks.spec import Spec
from pomona.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Trained:
    """A network in evaluation mode on the CPU, and how it came to be."""

    network: nn.Module
    result: FitResult


def train(
    task: Task,
    spec: Spec,
    settings: FitSettings,
    *,
    run: Run,
    name: str,
    extension: Extension = USUAL,
    weights: Mapping[str, Tensor] | None = None,
) -> Trained:
    """One fitted network. Raises SettingError when its loss did not stay finite."""
    result = fit(task, spec, settings, run=run, name=name, extension=extension, weights=weights)
    return _sound(result, extension, name)


def train_members(
    task: Task,
    spec: Spec,
    settings: FitSettings,
    num_members: int,
    *,
    run: Run,
    name: str,
    extension: Extension = USUAL,
) -> list[Trained]:
    """Networks that differ in nothing but the seed, fitted together.

    They are computed in turn where there is a recurrent leaf, which vmap runs one by one anyway, else side by
    side. This is not timed: layers that draw numbers would draw others the other way.
    """
    seeds = [stream_seed(run.seed, "member", f"{name}/{member}") for member in range(num_members)]
    is_recurrent = any(isinstance(part, nn.LSTM | nn.GRU) for part in build(spec, 0).modules())
    how = "loop" if is_recurrent else "vmap"
    results = fit_population(task, spec, settings, seeds, run=run, name=name, how=how, extension=extension)
    # of a population each result holds the seconds of all
    shares = [replace(result, seconds=result.seconds / num_members) for result in results]
    return [_sound(result, extension, name) for result in shares]


def rebuilt(spec: Spec, state: Mapping[str, Tensor], extension: Extension = USUAL) -> nn.Module:
    """The network with these weights, in evaluation mode, in their precision."""
    network: nn.Module = build(spec, 0)
    if extension.transform is not None:
        network = extension.transform(network, 0)
    dtypes = {tensor.dtype for tensor in state.values() if tensor.is_floating_point()}
    network = network.to(torch.float64 if torch.float64 in dtypes else torch.float32)
    network.load_state_dict(dict(state))
    return network.eval()


def num_parameters(network: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def _sound(result: FitResult, extension: Extension, name: str) -> Trained:
    if result.failed:
        raise SettingError(f"{name} could not be fitted: {result.failed}; choose a lower learning rate")
    return Trained(rebuilt(result.spec, result.state, extension), result)
