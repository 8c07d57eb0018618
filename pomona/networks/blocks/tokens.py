"""From tokens to vectors, and where they stand."""

from typing import Literal

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Width
from pomona.networks.signal import Signal
from pomona.nn.positions import Positions


def embed(
    signal: Signal, *, width: Width = 64, positions: Literal["none", "sine", "learned"] = "none"
) -> nn.Module:
    """A learned vector for every token, plus one for its position if wanted."""
    if not signal.num_tokens:
        raise SpecError("needs to know the number of tokens")
    embedding = nn.Embedding(signal.num_tokens, width)
    if positions == "none":
        return embedding
    return nn.Sequential(embedding, Positions(positions, signal.shape[0], width))


def positions(signal: Signal, *, method: Literal["sine", "learned"] = "learned") -> nn.Module:
    """Adds to every step of a series a vector that says where it stands."""
    return Positions(method, *signal.shape)
