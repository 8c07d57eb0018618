"""A convolution over time that padding does not change and that can be kept from looking ahead."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from pomona.nn.masks import blank


class SeriesConvolution(nn.Module):
    """(batch, time, feature) → (batch, ⌈time / stride⌉, width).

    Steps that are not real count as the zeros that surround a series. With `causal`, step t reads t and
    earlier steps only; otherwise the window is centred (kernels are odd).
    """

    def __init__(
        self,
        num_features: int,
        width: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        causal: bool = False,
        bias: bool = True,
    ):
        super().__init__()
        reach = dilation * (kernel - 1)
        self.stride = stride
        # a causal kernel pads both sides by its reach and drops what looks ahead: cheaper than padding apart
        self.padding = reach if causal else reach // 2
        self.causal = causal
        self.convolution = nn.Conv1d(
            num_features, width, kernel, stride, self.padding, dilation, groups, bias=bias
        )

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch shorter width"]:
        num_steps = -(-x.shape[1] // self.stride)
        y = self.convolution(blank(x, mask).transpose(1, 2))
        return y[:, :, :num_steps].transpose(1, 2)

    def mask_after(self, mask: Bool[Tensor, "batch time"]) -> Bool[Tensor, "batch shorter"]:
        """The mask of the output: a step is real where its window's own step is."""
        return mask[:, :: self.stride]
