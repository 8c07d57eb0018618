"""What all parts of one fit go by: task, network, settings, and where and how it is computed."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from pomona.fit.class_weights import balanced_weights
from pomona.fit.draws import Draws
from pomona.fit.extension import USUAL, Extension
from pomona.fit.feeds import Place
from pomona.fit.objectives import Loss, check_heads, task_loss
from pomona.fit.precision import place_of_run, resolved
from pomona.fit.settings import FitSettings
from pomona.fit.threads import use_threads, useful_threads
from pomona.foundation.errors import SettingError
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.block_kind import BlockKind
from pomona.networks.build import build
from pomona.networks.cost import flops
from pomona.networks.spec import Spec
from pomona.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Setup:
    """One fit of a network or a population, before anything moves."""

    task: Task
    spec: Spec
    settings: FitSettings
    """With nothing left to be told."""
    run: Run
    name: str
    place: Place
    loss: Loss
    blocks: Mapping[str, BlockKind]
    extension: Extension = USUAL

    def start(self, seed: int, weights: Mapping[str, Tensor] | None = None) -> nn.Module:
        """A network with given weights, or with those that follow from a seed and the name."""
        network = build(self.spec, stream_seed(seed, "network", self.name), blocks=self.blocks)
        if self.extension.transform is not None:
            network = self.extension.transform(network, stream_seed(seed, "transform", self.name))
        if weights is not None:
            network.load_state_dict(dict(weights))
        return network.to(self.place.device, self.place.dtype)

    def draws(self, seed: int) -> Draws:
        """The random streams that follow from a seed and the name."""
        return Draws(seed, self.name)


def set_up(
    task: Task,
    spec: Spec,
    settings: FitSettings,
    *,
    run: Run,
    name: str,
    blocks: Mapping[str, BlockKind],
    num_members: int = 1,
    extension: Extension = USUAL,
) -> Setup:
    """The setup, checked, and torch told its threads. Raises SpecError or SettingError for what is wrong."""
    check_heads(task, spec)
    if extension.objective is not None and settings.accumulate > 1:
        raise SettingError("this method needs whole batches: leave accumulate at 1")
    place = place_of_run(run, settings)
    is_balanced = settings.class_weights == "balanced"
    class_weights = balanced_weights(task, device=place.device) if is_balanced else None
    loss = task_loss(task, settings, class_weights=class_weights)
    # the way back costs twice the way forward
    step_flops = 3.0 * flops(spec, blocks=blocks) * settings.batch_size / settings.accumulate
    use_threads(useful_threads(num_members * step_flops, run.threads))
    return Setup(task, spec, resolved(settings, place), run, name, place, loss, blocks, extension)
