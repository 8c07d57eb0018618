"""One kind of signal read as another."""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from pomona.nn.masks import blank


class FlattenSeries(nn.Module):
    """(batch, time, feature) → (batch, time · feature)."""

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch value"]:
        return blank(x, mask).flatten(1)


class AsImage(nn.Module):
    """(batch, time, feature) → (batch, 1, time, feature)."""

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch 1 time feature"]:
        return blank(x, mask).unsqueeze(1)


class Rows(nn.Module):
    """(batch, channel, height, width) → (batch, height, channel · width)."""

    def forward(
        self, x: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch height feature"]:
        return x.transpose(1, 2).flatten(2)


class Steps(nn.Module):
    """(batch, value) → (batch, ⌈value / size⌉, size)."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def forward(self, x: Float[Tensor, "batch value"]) -> Float[Tensor, "batch time size"]:
        return F.pad(x, (0, -x.shape[1] % self.size)).unflatten(1, (-1, self.size))


class Patches(nn.Module):
    """(batch, channel, height, width) → (batch, patch, width), row by row, zeros added right and below."""

    def __init__(self, num_channels: int, size: int, width: int):
        super().__init__()
        self.size = size
        self.convolution = nn.Conv2d(num_channels, width, size, size)

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch patch feature"]:
        padded = F.pad(x, (0, -x.shape[3] % self.size, 0, -x.shape[2] % self.size))
        return self.convolution(padded).flatten(2).transpose(1, 2)
