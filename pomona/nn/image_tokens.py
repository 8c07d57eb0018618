"""An image as the tokens of a vision transformer, and back (Dosovitskiy et al. 2020)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pomona.nn.global_pool import GlobalPool
from pomona.nn.masks import blank
from pomona.nn.positions import Positions
from pomona.nn.reshape import Patches


class ImageTokens(nn.Module):
    """(batch, channel, height, width) → (batch, token, width): class tokens, registers, patches row by row.

    Class tokens start at zero. A learned position, of deviation 0.02, is added to class tokens and patches;
    registers (Darcet et al. 2023) have no place. `grid` is the number of rows and columns of patches.
    """

    def __init__(
        self,
        num_channels: int,
        size: int,
        width: int,
        *,
        grid: tuple[int, int],
        num_class_tokens: int = 1,
        num_registers: int = 0,
        positions: str = "learned",
        dropout: float = 0.0,
    ):
        super().__init__()
        self.grid = grid
        self.num_class_tokens = num_class_tokens
        self.num_registers = num_registers
        num_places = num_class_tokens + grid[0] * grid[1]
        self.patches = Patches(num_channels, size, width)
        self.class_tokens = nn.Embedding(num_class_tokens, width) if num_class_tokens else None
        self.registers = nn.Embedding(num_registers, width) if num_registers else None
        self.positions = Positions("learned", num_places, width) if positions == "learned" else None
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch token feature"]:
        tokens = self.patches(x)
        if self.class_tokens is not None:
            tokens = torch.cat((_repeated(self.class_tokens, tokens), tokens), 1)
        if self.positions is not None:
            tokens = self.positions(tokens)
        if self.registers is not None:
            first, rest = tokens[:, : self.num_class_tokens], tokens[:, self.num_class_tokens :]
            tokens = torch.cat((first, _repeated(self.registers, tokens), rest), 1)
        return self.dropout(tokens)

    def initialise(self, generator: torch.Generator) -> None:
        """Class tokens at zero."""
        if self.class_tokens is not None:
            nn.init.zeros_(self.class_tokens.weight)


class FirstTokens(nn.Module):
    """(batch, time, feature) → (batch, feature · count): the first tokens, interleaved."""

    def __init__(self, count: int):
        super().__init__()
        self.count = count

    def forward(self, x: Float[Tensor, "batch time feature"]) -> Float[Tensor, "batch value"]:
        return x[:, : self.count].transpose(1, 2).flatten(1)

    def extra_repr(self) -> str:
        return str(self.count)


class PatchMean(nn.Module):
    """(batch, time, feature) → (batch, feature): the mean of the real tokens after the first `skipped`."""

    def __init__(self, skipped: int):
        super().__init__()
        self.skipped = skipped
        self.pool = GlobalPool("mean")

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch feature"]:
        return self.pool(x[:, self.skipped :], None if mask is None else mask[:, self.skipped :])

    def extra_repr(self) -> str:
        return str(self.skipped)


class AsGrid(nn.Module):
    """(batch, time, feature) → (batch, feature, rows, columns) of the last rows · columns tokens."""

    def __init__(self, shape: tuple[int, int]):
        super().__init__()
        self.shape = shape

    def forward(
        self, x: Float[Tensor, "batch time feature"], mask: Bool[Tensor, "batch time"] | None = None
    ) -> Float[Tensor, "batch feature rows columns"]:
        rows, columns = self.shape
        return blank(x, mask)[:, -rows * columns :].transpose(1, 2).unflatten(2, (rows, columns))

    def extra_repr(self) -> str:
        return f"{self.shape}"


def _repeated(embedding: nn.Embedding, like: Tensor) -> Tensor:
    """All rows of the embedding for every example."""
    rows = embedding(torch.arange(embedding.num_embeddings, device=like.device))
    return rows.expand(like.shape[0], -1, -1)
