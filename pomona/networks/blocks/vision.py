"""What a vision transformer has besides transformer layers: an image's tokens, and what is read from them."""

from typing import Annotated, Literal

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Dropout, Factor, Range, Width
from pomona.networks.signal import Signal
from pomona.nn.chain import Chain
from pomona.nn.image_tokens import AsGrid, FirstTokens, ImageTokens, PatchMean

Few = Annotated[int, Range(0, 64)]


def image_tokens(
    signal: Signal,
    *,
    size: Factor = 4,
    width: Width = 64,
    class_tokens: Few = 1,
    registers: Few = 0,
    positions: Literal["learned", "none"] = "learned",
    dropout: Dropout = 0.0,
) -> nn.Module:
    """An image as class tokens, registers and embedded `size`×`size` patches that know where they stand."""
    _, height, wide = signal.shape
    return ImageTokens(
        signal.width,
        size,
        width,
        grid=(-(-height // size), -(-wide // size)),
        num_class_tokens=class_tokens,
        num_registers=registers,
        positions=positions,
        dropout=dropout,
    )


def token_vector(
    signal: Signal,
    *,
    method: Literal["first", "mean"] = "first",
    count: Few = 1,
    norm: Literal["before", "after"] = "before",
    epsilon: Annotated[float, Range(0.0, 0.1)] = 1e-5,
) -> nn.Module:
    """One vector, normalised before or after: the first `count` tokens, or the "mean" of those after them."""
    least, most = (0, signal.shape[0] - 1) if method == "mean" else (1, signal.shape[0])
    if not least <= count <= most:
        raise SpecError(f"argument 'count' is from {least} to {most} here, got {count}")
    if method == "mean":
        pool, width = PatchMean(count), signal.width
    else:
        pool, width = FirstTokens(count), count * signal.width
    normalised = nn.LayerNorm(signal.width if norm == "before" else width, epsilon)
    return Chain(normalised, pool) if norm == "before" else Chain(pool, normalised)


def as_grid(signal: Signal, *, shape: tuple[int, ...]) -> nn.Module:
    """An image of (rows, columns) from the last rows · columns tokens."""
    if len(shape) != 2 or shape[0] * shape[1] > signal.shape[0]:
        raise SpecError(
            f"argument 'shape' is [rows, columns] of at most {signal.shape[0]} tokens, got {list(shape)}"
        )
    return AsGrid((shape[0], shape[1]))
