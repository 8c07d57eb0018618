"""Squeeze and excite (Hu et al. 2017): channels scaled by what the whole image or series holds."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from pomona.nn.global_pool import GlobalPool


class SqueezeExcite(nn.Module):
    """x · sigmoid(excite(relu(squeeze(mean of x)))), a factor for every channel; the shape stays."""

    def __init__(self, num_channels: int, num_squeezed: int):
        super().__init__()
        self.pool = GlobalPool("mean")
        self.squeeze = nn.Linear(num_channels, num_squeezed)
        self.excite = nn.Linear(num_squeezed, num_channels)

    def forward(
        self, x: Float[Tensor, "batch ..."], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch ..."]:
        factor = self.excite(self.squeeze(self.pool(x, mask)).relu()).sigmoid()
        return x * (factor[:, :, None, None] if x.ndim == 4 else factor[:, None])
