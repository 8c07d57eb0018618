"""A network inside a network."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from pomona.networks.block_kind import BlockKind
from pomona.networks.network import Network
from pomona.networks.spec import Spec
from pomona.tasks.feature import mask_key


class Nested(nn.Module):
    """A network with one input and one output as a layer."""

    def __init__(self, spec: Spec, blocks: Mapping[str, BlockKind]):
        super().__init__()
        (self._input,) = spec.inputs
        ((self._head, self._last),) = spec.outputs.items()
        self.network = Network(spec, blocks, torch.initial_seed())

    def forward(self, x: Tensor, mask: Bool[Tensor, "batch time"] | None = None) -> Tensor:
        inputs = {self._input: x} if mask is None else {self._input: x, mask_key(self._input): mask}
        return self.network(inputs)[self._head]

    def mask_after(self, mask: Bool[Tensor, "batch time"]) -> Tensor | None:
        """The mask of the output."""
        return self.network.masks({mask_key(self._input): mask})[self._last]
