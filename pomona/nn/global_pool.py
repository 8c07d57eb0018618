"""One vector for a whole image or series."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pomona.nn.masks import blank


class GlobalPool(nn.Module):
    """The "mean" or "max" over the pixels of an image or the real steps of a series, or the "last" real step.

    A series without a real step gives zeros.
    """

    def __init__(self, method: str):
        super().__init__()
        self.method = method

    def forward(
        self, x: Float[Tensor, "batch ..."], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch feature"]:
        axes = (2, 3) if x.ndim == 4 else (1,)
        if self.method == "last":
            return x[:, -1] if mask is None else _last(blank(x, mask), mask)
        if mask is None:
            return x.mean(axes) if self.method == "mean" else x.amax(axes)
        num_real = mask.sum(1, keepdim=True)
        if self.method == "mean":
            return blank(x, mask).sum(1) / num_real.clamp(min=1)
        return x.masked_fill(~mask[:, :, None], -torch.inf).amax(1).masked_fill(num_real == 0, 0.0)

    def extra_repr(self) -> str:
        return self.method


class AttentivePool(nn.Module):
    """The mean of the real steps, or pixels, weighted by a softmax over a learned score of each.

    The scores start equal: it starts as the plain mean.
    """

    def __init__(self, num_features: int):
        super().__init__()
        self.score = nn.Linear(num_features, 1)

    def forward(
        self, x: Float[Tensor, "batch ..."], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch feature"]:
        if x.ndim == 4:
            x = x.flatten(2).transpose(1, 2)
        score = self.score(x)
        if mask is not None:
            # the smallest number instead of -inf: a series without a real step stays finite
            score = score.masked_fill(~mask[:, :, None], torch.finfo(x.dtype).min)
        return (blank(x, mask) * score.softmax(1)).sum(1)

    def initialise(self, generator: torch.Generator) -> None:
        """Equal scores."""
        nn.init.zeros_(self.score.weight)


def _last(x: Tensor, mask: Tensor) -> Tensor:
    last = (mask.sum(1) - 1).clamp(min=0)
    return x.gather(1, last[:, None, None].expand(-1, 1, x.shape[2])).squeeze(1)
