"""From a Spec to a module."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pomona.foundation.errors import SpecError
from pomona.foundation.randomness import stream_seed
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.infer import construct
from pomona.networks.shapes import signals
from pomona.networks.signal import Signal, entered
from pomona.networks.spec import Spec
from pomona.nn import masks
from pomona.nn.initialise import initialise
from pomona.tasks.feature import mask_key


def build(spec: Spec, seed: int, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> "Network":
    """The network that `spec` describes. Raises SpecError, naming the block, when there is no such network.

    Every weight comes from a stream of its own, keyed by block id and name: equal seeds give equal weights, and
    a block more or less changes nobody else's. The global generator is as it was.
    """
    known = signals(spec, blocks=blocks)
    modules: dict[str, nn.Module] = {}
    with torch.random.fork_rng(devices=[]):
        for block in spec.blocks:
            if hasattr(nn.ModuleDict, block.id) or "." in block.id:
                raise SpecError(f"block {block.id!r}: this id is reserved or has a dot, choose another")
            # a user's own parameters, which no rule below knows, are drawn by their constructor
            torch.default_generator.manual_seed(stream_seed(seed, "construct", block.id))
            sources = tuple(known[source] for source in block.sources)
            modules[block.id] = construct(blocks[block.block], sources, block.args, blocks)
    for block_id, module in modules.items():
        initialise(module, seed, block_id)
    return Network(spec, modules, known)


@dataclass(frozen=True)
class _Step:
    block_id: str
    sources: tuple[str, ...]
    takes_mask: bool
    is_variable: bool


class Network(nn.Module):
    """Named inputs to named heads; masks of variable inputs travel along under `mask_key(name)`.

    `blocks` holds the modules by block id, so a weight's name is `blocks.<id>.…` as long as the block lives.
    """

    def __init__(self, spec: Spec, modules: Mapping[str, nn.Module], known: Mapping[str, Signal]):
        super().__init__()
        self.spec = spec
        self.blocks = nn.ModuleDict(modules)
        self._steps = tuple(
            _Step(b.id, b.sources, masks.takes_mask(modules[b.id]), known[b.id].variable) for b in spec.blocks
        )

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Head → its raw output. A variable input without its mask counts as real throughout."""
        values = {name: entered(feature, inputs[name]) for name, feature in self.spec.inputs.items()}
        known = {name: inputs.get(mask_key(name)) for name in self.spec.inputs}
        for step in self._steps:
            module = self.blocks[step.block_id]
            mask = _common_mask([known[source] for source in step.sources])
            extra = {"mask": mask} if step.takes_mask else {}
            values[step.block_id] = module(*[values[source] for source in step.sources], **extra)
            known[step.block_id] = masks.mask_after(module, mask) if step.is_variable else None
        return {head: values[block_id] for head, block_id in self.spec.outputs.items()}


def _common_mask(candidates: list[Tensor | None]) -> Tensor | None:
    found = [mask for mask in candidates if mask is not None]
    if not found:
        return None
    common = found[0]
    for mask in found[1:]:
        common = common if mask is common else common & mask
    return common
