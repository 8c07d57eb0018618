"""LSTM and GRU layers whose output at real steps does not depend on padding, without packing."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

KINDS: dict[str, type[nn.LSTM] | type[nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}


class Recurrent(nn.Module):
    """(batch, time, feature) → (batch, time, width), or 2·width with `bidirectional`: forward, then backward.

    Real steps come first, so the forward layer sees padding only after them; the backward one reads the real
    steps in reverse. What stands in steps that are not real is unspecified. Not for torch.func.vmap.
    """

    def __init__(self, kind: str, num_features: int, width: int, *, bidirectional: bool = False):
        super().__init__()
        self.forward_layer = KINDS[kind](num_features, width, batch_first=True)
        self.backward_layer = KINDS[kind](num_features, width, batch_first=True) if bidirectional else None

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch time width"]:
        forward = self.forward_layer(x)[0]
        if self.backward_layer is None:
            return forward
        return torch.cat((forward, _reversed(self.backward_layer(_reversed(x, mask))[0], mask)), 2)


def _reversed(x: Tensor, mask: Tensor | None) -> Tensor:
    """The real steps in reverse order; its own inverse on them."""
    if mask is None:
        return x.flip(1)
    steps = torch.arange(x.shape[1], device=x.device)
    # a step beyond the real ones gets a negative number, hence one counted from the end
    positions = (mask.sum(1, keepdim=True) - 1 - steps) % x.shape[1]
    return x.gather(1, positions[:, :, None].expand(-1, -1, x.shape[2]))
