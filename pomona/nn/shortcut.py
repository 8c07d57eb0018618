"""A branch beside a shortcut (He et al. 2015)."""

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from pomona.nn import masks
from pomona.nn.leaves import LEAVES


class Shortcut(nn.Module):
    """after(skip(x) + branch(x)). The branch's output must have the shape of the skip's.

    The last leaf of the branch starts at zero, so that a deep network starts as a shallow one.
    """

    def __init__(self, branch: nn.Module, skip: nn.Module | None = None, after: nn.Module | None = None):
        super().__init__()
        self.branch = branch
        self.skip = skip or nn.Identity()
        self.after = after or nn.Identity()
        self._takes_mask = masks.takes_mask(branch)

    def forward(self, x: Tensor, mask: Bool[Tensor, "batch time"] | None = None) -> Tensor:
        branch = self.branch(x, mask) if self._takes_mask else self.branch(x)
        return self.after(self.skip(x) + branch)

    def initialise(self, generator: torch.Generator) -> None:
        """Zeroes the last leaf of the branch."""
        last = [part for part in self.branch.modules() if type(part) in LEAVES][-1]
        for parameter in last.parameters():
            nn.init.zeros_(parameter)

    def mask_after(self, mask: Tensor | None) -> Tensor | None:
        """The mask of the output."""
        return masks.mask_after(self.branch, mask)
