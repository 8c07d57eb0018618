"""Longer series and larger images."""

from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F


class Upsample(nn.Module):
    """Every pixel of an image becomes `size`×`size` ones, every step of a series `size` ones."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        if x.ndim == 4:
            return F.interpolate(x, scale_factor=float(self.size), mode="nearest")
        return x.repeat_interleave(self.size, 1)

    def mask_after(self, mask: Bool[Tensor, "batch time"]) -> Bool[Tensor, "batch longer"]:
        """The mask of the output."""
        return mask.repeat_interleave(self.size, 1)

    def extra_repr(self) -> str:
        return str(self.size)


class Resize(nn.Module):
    """An image at (height, width), nearest or "bilinear"; a series of (time,) steps.

    Step t of a series is step t // ⌈time / old time⌉ of the old one, which undoes a pooling or stride of
    that size and does not depend on padding.
    """

    def __init__(self, shape: tuple[int, ...], method: str = "nearest"):
        super().__init__()
        self.shape = shape
        self.method = method

    def forward(self, x: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        if x.ndim == 4:
            corners = {"align_corners": False} if self.method == "bilinear" else {}
            return F.interpolate(x, size=self.shape, mode=self.method, **corners)
        return self._longer(x)

    def mask_after(self, mask: Bool[Tensor, "batch time"]) -> Bool[Tensor, "batch longer"]:
        """The mask of the output; a step may become real that was padding before the series was shortened."""
        return self._longer(mask)

    def _longer(self, x: Tensor) -> Tensor:
        num_steps = self.shape[0]
        return x.repeat_interleave(-(-num_steps // x.shape[1]), 1)[:, :num_steps]

    def extra_repr(self) -> str:
        return f"{self.shape}, {self.method}"
