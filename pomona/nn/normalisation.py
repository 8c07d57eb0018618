"""Normalisation by name. The defaults work on one example at a time: batch statistics mix examples, members and clients."""

from typing import Literal, get_args

from torch import nn

from pomona.foundation.errors import unknown_name

Norm = Literal["group", "layer", "batch", "none"]

GROUPS = 8


def image_norm(name: str, num_channels: int) -> nn.Module:
    """Normalises (batch, channels, height, width): by groups of channels, all channels at once, or over the batch."""
    _check(name)
    if name == "group":
        return nn.GroupNorm(num_groups(num_channels), num_channels)
    if name == "layer":
        return nn.GroupNorm(1, num_channels)
    return nn.BatchNorm2d(num_channels) if name == "batch" else nn.Identity()


def feature_norm(name: str, num_features: int) -> nn.Module:
    """Normalises the last axis, every step for itself: padding and later steps never reach an earlier one.

    "group" is "layer" here. "batch" takes vectors only.
    """
    _check(name)
    if name in ("group", "layer"):
        return nn.LayerNorm(num_features)
    return nn.BatchNorm1d(num_features) if name == "batch" else nn.Identity()


def num_groups(num_channels: int) -> int:
    """The largest number of groups up to 8 that divides the channels; doubling multiples of 8 keeps it."""
    return max(groups for groups in range(1, GROUPS + 1) if num_channels % groups == 0)


def _check(name: str) -> None:
    if name not in get_args(Norm):
        raise unknown_name("normalisation", name, get_args(Norm))
