"""Gated dilated convolutions (van den Oord et al. 2016, WaveNet), over time and over images."""

from jaxtyping import Bool
from torch import Tensor, nn

from pomona.nn import masks


class GatedConvolution(nn.Module):
    """tanh(a) · sigmoid(b), where one convolution makes a and b, the two halves of its channels."""

    def __init__(self, convolution: nn.Module, channel_axis: int):
        super().__init__()
        self.convolution = convolution
        self.channel_axis = channel_axis
        self._takes_mask = masks.takes_mask(convolution)

    def forward(self, x: Tensor, mask: Bool[Tensor, "batch time"] | None = None) -> Tensor:
        both = self.convolution(x, mask) if self._takes_mask else self.convolution(x)
        signal, gate = both.chunk(2, self.channel_axis)
        return signal.tanh() * gate.sigmoid()
