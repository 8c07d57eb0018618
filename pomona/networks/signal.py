"""What flows between blocks: a kind and the shape of one example."""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from pomona.foundation.errors import SpecError
from pomona.tasks.feature import Feature

SignalKind = Literal["image", "audio", "series", "vector", "tokens"]

MASKED_KINDS = ("audio", "series", "tokens")


@dataclass(frozen=True)
class Signal:
    """kind     shape                     tensor
    image    (channels, height, width)  float (batch, channels, height, width)
    audio    (samples,)                 float (batch, samples); `rate` samples a second
    series   (time, features)           float (batch, time, features)
    vector   (features,)                float (batch, features); a head's vector may have shape ()
    tokens   (time,)                    int64 (batch, time), below `num_tokens`

    A `variable` signal comes with a mask.
    """

    kind: SignalKind
    shape: tuple[int, ...]
    num_tokens: int | None = None
    rate: int | None = None
    variable: bool = False

    @property
    def width(self) -> int:
        """Channels of an image, features of a series or vector."""
        return self.shape[0] if self.kind == "image" else self.shape[-1]

    def with_shape(self, *shape: int) -> "Signal":
        """The same kind of signal with another shape."""
        return replace(self, shape=shape)

    def __str__(self) -> str:
        return f"{self.kind} {'×'.join(map(str, self.shape))}"


def signal_of(feature: Feature) -> Signal:
    """The signal that an input feature becomes; see `entered` for how."""
    if feature.kind in ("image", "series", "vector"):
        return Signal(feature.kind, feature.shape, variable=feature.variable)  # type: ignore[arg-type]
    if feature.kind == "audio":
        rate = None if feature.rate is None else int(feature.rate)
        return Signal("audio", feature.shape, rate=rate, variable=feature.variable)
    if feature.kind == "tokens":
        return Signal("tokens", feature.shape, feature.num_tokens, variable=feature.variable)
    if feature.kind == "category" and len(feature.shape) == 1:
        return Signal("tokens", feature.shape, len(feature.classes), variable=feature.variable)
    if feature.kind == "category":
        return Signal("vector", (len(feature.classes),))
    if feature.kind in ("number", "labels", "keypoints"):
        sizes = torch.Size(feature.shape)
        return Signal("vector", (sizes.numel(),))
    raise SpecError(f"a {feature.kind} cannot be an input of a network")


def entered(feature: Feature, x: Tensor, dtype: torch.dtype) -> Tensor:
    """The tensor of an input as its signal: a category becomes one-hot, numbers and keypoints a vector."""
    if feature.kind == "category" and not feature.shape:
        # not F.one_hot, which torch.export cannot trace for a batch of any size
        classes = torch.arange(len(feature.classes), device=x.device)
        return (x[:, None] == classes).to(dtype)
    if feature.kind in ("number", "keypoints"):
        return x.reshape(x.shape[0], -1)
    # channels_last is up to 1.5 times faster here and there, but the backward pass of torch 2.13's GroupNorm
    # crashes the process when its input has that layout and needs no gradient
    return x.contiguous() if feature.kind == "image" else x


def feature_of(name: str, signal: Signal) -> Feature:
    """An input feature that becomes this signal."""
    return Feature(
        name,
        signal.kind,
        signal.shape,
        num_tokens=signal.num_tokens,
        rate=signal.rate,
        variable=signal.variable,
    )
