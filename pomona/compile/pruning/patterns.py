"""Which entries of a weight are zero together: each alone, blocks of output channels, or N of M.

Scores say what an entry is worth; they add up. A weight is seen as a matrix with a row an output; for N:M its
rows run over the input channels of one output and, of a kernel, one position.
"""

import re
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pomona.foundation.errors import SettingError


@dataclass(frozen=True)
class Pattern:
    """Blocks of `block` outputs of one input; or, with `of` above 0, `keep` of `of` inputs in a row."""

    block: int = 1
    keep: int = 0
    of: int = 0

    @property
    def sparsity(self) -> float | None:
        """The one that the pattern itself fixes."""
        return 1 - self.keep / self.of if self.of else None


def pattern_named(text: str) -> Pattern:
    """The pattern that 1x1, 2x1, 4x1, 2:4 and the like mean. Raises SettingError."""
    if match := re.fullmatch(r"([1-9]\d?)x1", text):
        return Pattern(block=int(match[1]))
    match = re.fullmatch(r"([1-9]\d?):([1-9]\d?)", text)
    if match and int(match[1]) < int(match[2]):
        return Pattern(keep=int(match[1]), of=int(match[2]))
    raise SettingError(f"a pattern is 1x1, 2x1, 4x1 or N:M with N below M, such as 2:4; got {text!r}")


def kept(
    scores: Float[Tensor, "out *axes"], density: float, pattern: Pattern = Pattern()
) -> Bool[Tensor, "out *axes"]:
    """The entries to keep: those of the highest scores, in number `density` of all, as the pattern allows.

    Of equal scores the earlier entry is kept. A density above that of an N:M pattern keeps more than it:
    those of the entries it would remove that have the highest scores.
    """
    rows = as_rows(scores, pattern)
    if pattern.of:
        mask = _kept_of_groups(rows, density, pattern)
    elif pattern.block > 1:
        mask = _kept_blocks(rows, density, pattern.block)
    else:
        mask = highest(rows.reshape(-1), round(density * rows.numel())).reshape(rows.shape)
    return from_rows(mask, scores.shape, pattern)


def highest(scores: Float[Tensor, " entry"], count: int) -> Bool[Tensor, " entry"]:
    """The `count` highest; of equal ones the first."""
    order = torch.argsort(scores, descending=True, stable=True)
    mask = torch.zeros(scores.shape, dtype=torch.bool, device=scores.device)
    mask[order[:count]] = True
    return mask


def block_means(rows: Float[Tensor, "row column"], block: int) -> Float[Tensor, "block column"]:
    """The mean of every block of rows; the last one may have fewer."""
    parts = rows.split(block)
    return torch.stack([part.mean(dim=0) for part in parts])


def as_rows(weight: Tensor, pattern: Pattern) -> Tensor:
    """The matrix that the pattern is about."""
    if pattern.of and weight.ndim > 2:
        weight = weight.movedim(1, -1)
        return weight.reshape(-1, weight.shape[-1])
    return weight.reshape(weight.shape[0], -1)


def from_rows(rows: Tensor, shape: torch.Size | tuple[int, ...], pattern: Pattern) -> Tensor:
    """Back from `as_rows`."""
    if pattern.of and len(shape) > 2:
        return rows.reshape(shape[0], *shape[2:], shape[1]).movedim(-1, 1)
    return rows.reshape(shape)


def _kept_blocks(rows: Tensor, density: float, block: int) -> Tensor:
    means = block_means(rows, block)
    mask = highest(means.reshape(-1), round(density * means.numel())).reshape(means.shape)
    return mask.repeat_interleave(block, dim=0)[: rows.shape[0]]


def _kept_of_groups(rows: Tensor, density: float, pattern: Pattern) -> Tensor:
    must_go = ~_best_of_groups(rows, pattern)
    num_zero = min(round((1 - density) * rows.numel()), int(must_go.sum()))
    # entries that the pattern keeps are worth more than all others
    worth = torch.where(must_go, rows, torch.inf).reshape(-1)
    return highest(worth, rows.numel() - num_zero).reshape(rows.shape)


def _best_of_groups(rows: Tensor, pattern: Pattern) -> Tensor:
    """The `keep` best of every `of` columns; of a shorter last group as large a share, rounded up."""
    mask = torch.zeros(rows.shape, dtype=torch.bool, device=rows.device)
    for start in range(0, rows.shape[1], pattern.of):
        group = rows[:, start : start + pattern.of]
        count = -(-group.shape[1] * pattern.keep // pattern.of)
        order = torch.argsort(group, dim=1, descending=True, stable=True)[:, :count]
        mask[:, start : start + pattern.of].scatter_(1, order, True)
    return mask
