"""The module that a Spec describes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pomona.foundation.errors import SpecError
from pomona.foundation.randomness import stream_seed
from pomona.networks.block_kind import BlockKind
from pomona.networks.construct import construct
from pomona.networks.infer import infer_network
from pomona.networks.signal import entered
from pomona.networks.spec import Spec
from pomona.nn import masks
from pomona.tasks.feature import mask_key


@dataclass(frozen=True)
class Step:
    """What forward needs to know of one block."""

    block_id: str
    sources: tuple[str, ...]
    takes_mask: bool
    is_variable: bool
    """Whether what leaves the block has a mask."""


class Network(nn.Module):
    """Named inputs to named heads; masks of variable inputs travel along under `mask_key(name)`.

    `blocks` holds the modules by block id, so a weight's name is `blocks.<id>.…` as long as the block lives.
    """

    def __init__(self, spec: Spec, blocks: Mapping[str, BlockKind], seed: int = 0):
        """A network with the weights that modules' constructors give. Raises SpecError, naming the block."""
        super().__init__()
        known = infer_network(spec, blocks)
        self.spec = spec
        self.blocks = nn.ModuleDict()
        steps = []
        for block in spec.blocks:
            if hasattr(self.blocks, block.id) or "." in block.id:
                raise SpecError(f"block {block.id!r}: this id is reserved or has a dot, choose another")
            sources = tuple(known[source].signal for source in block.sources)
            with _constructor_seed(seed, block.id):
                module = construct(blocks[block.block], sources, block.args, blocks)
            self.blocks[block.id] = module
            is_variable = known[block.id].signal.variable
            steps.append(Step(block.id, block.sources, masks.takes_mask(module), is_variable))
        self._steps = tuple(steps)

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Head → its raw output. A variable input without its mask counts as real throughout."""
        dtype = next((p.dtype for p in self.parameters()), torch.get_default_dtype())
        values = {name: entered(feature, inputs[name], dtype) for name, feature in self.spec.inputs.items()}
        known = self.masks(inputs)
        for step in self._steps:
            module, tensors = self.blocks[step.block_id], [values[source] for source in step.sources]
            if step.takes_mask:
                mask = _common([known[source] for source in step.sources])
                values[step.block_id] = module(*tensors, mask=mask)
            else:
                values[step.block_id] = module(*tensors)
        return {head: values[block_id] for head, block_id in self.spec.outputs.items()}

    def masks(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor | None]:
        """Block id or input → the mask of what is there, None where all steps are real or there are none."""
        known = {name: inputs.get(mask_key(name)) for name in self.spec.inputs}
        for step in self._steps:
            mask = _common([known[source] for source in step.sources]) if step.is_variable else None
            known[step.block_id] = masks.mask_after(self.blocks[step.block_id], mask)
        return known


@contextmanager
def _constructor_seed(seed: int, block_id: str) -> Iterator[None]:
    """What constructors draw, and a user's own parameters keep, comes from the block's own stream."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(stream_seed(seed, "construct", block_id))
        yield


def _common(candidates: list[Tensor | None]) -> Tensor | None:
    """The steps that are real in every mask."""
    common = None
    for mask in candidates:
        if mask is not None and mask is not common:
            common = mask if common is None else common & mask
    return common
