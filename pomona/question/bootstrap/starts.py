"""First weights that were learned elsewhere: every network of a fit begins with the same ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pomona.fit.extension import Extension
from pomona.fit.loop import fit
from pomona.fit.settings import FitSettings
from pomona.fit.subject import resolve
from pomona.foundation.artifact import is_artifact
from pomona.foundation.errors import SettingError
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.networks.inherit import inherit
from pomona.networks.network import Network
from pomona.networks.pretrained import beginning
from pomona.networks.spec import Spec
from pomona.question.bootstrap.worlds import WORLDS
from pomona.tasks.load import load_task
from pomona.tasks.options import DataOptions


@dataclass(frozen=True, eq=False)
class Learned:
    """A network that was trained before."""

    spec: Spec
    weights: Mapping[str, Tensor]
    name: str


def learned_start(start: str, network: str, settings: FitSettings, spec: Spec, *, run: Run) -> Extension:
    """Every network begins with what the same blocks learned elsewhere; heads of other targets begin afresh.

    `start` is the folder of an artifact, or a task or world on which the network is trained first, with the
    same settings. Raises SettingError when nothing of it fits.
    """
    learned = _learned(start, network, settings, run)

    def transform(network: nn.Module, seed: int) -> nn.Module:
        assert isinstance(network, Network)
        _begin_as(network, spec, learned, seed)
        return network

    _begin_as(build(spec, 0), spec, learned, 0)  # tells before anything is trained whether it fits
    return Extension(transform=transform, key=f"begins as {learned.name}")


def _begin_as(network: Network, spec: Spec, learned: Learned, seed: int) -> None:
    """Hands the weights down; the heads are kept as they are unless both networks have the same ones."""
    own = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    report = inherit(network, spec, learned.weights, learned.spec, seed=seed)
    if learned.spec.outputs != spec.outputs:
        heads = tuple(f"blocks.{block_id}." for block_id in spec.outputs.values())
        state = network.state_dict()
        with torch.no_grad():
            for name in filter(lambda name: name.startswith(heads), own):
                state[name].copy_(own[name])
    if report.copied + report.widened + report.narrowed == 0:
        raise SettingError(
            f"nothing of {learned.name} fits this network: a start needs blocks of the same names and kinds"
        )


def _learned(start: str, network: str, settings: FitSettings, run: Run) -> Learned:
    if is_artifact(start):
        subject = resolve(start, data=DataOptions())
        assert subject.weights is not None
        return Learned(subject.spec, subject.weights, start)
    task = (
        WORLDS[start].make(seed=run.seed)
        if start in WORLDS and not WORLDS[start].of_task
        else load_task(start)
    )
    spec = beginning(network, task).spec
    result = fit(task, spec, settings, run=run, name=f"start-{start}".replace("/", "-"))
    run.check_interrupt()
    if result.failed:
        raise SettingError(f"training on {start} came to nothing: {result.failed}")
    return Learned(spec, result.state, start)
