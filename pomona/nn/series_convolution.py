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
        # (batch, time, feature) is what a Conv2d calls channels_last for an image of one row: nothing is
        # copied, and a training step takes half the time of one with Conv1d
        self.convolution = nn.Conv2d(
            num_features,
            width,
            (1, kernel),
            (1, stride),
            (0, reach if causal else reach // 2),
            (1, dilation),
            groups,
            bias=bias,
        )

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch shorter width"]:
        # a causal kernel pads both sides by its reach; what looks ahead is dropped, cheaper than padding one
        num_steps = -(-x.shape[1] // self.stride)
        y = self.convolution(blank(x, mask).transpose(1, 2).unsqueeze(2)).squeeze(2)
        return y[:, :, :num_steps].transpose(1, 2)

    def mask_after(self, mask: Bool[Tensor, "batch time"]) -> Bool[Tensor, "batch shorter"]:
        """The mask of the output: a step is real where its window's own step is."""
        return mask[:, :: self.stride]
