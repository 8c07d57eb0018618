"""Normalisation by name. Defaults look at one example: batch statistics mix examples, members, clients."""

from typing import Literal

from torch import nn

Norm = Literal["group", "layer", "batch", "none"]
FeatureNorm = Literal["layer", "none"]

MOST_GROUPS = 8


def image_norm(name: str, num_channels: int) -> nn.Module:
    """Normalises images by "group" of channels, all channels at once ("layer"), or over the "batch"."""
    if name == "group":
        return nn.GroupNorm(num_groups(num_channels), num_channels)
    if name == "layer":
        return nn.GroupNorm(1, num_channels)
    return nn.BatchNorm2d(num_channels) if name == "batch" else nn.Identity()


def feature_norm(name: str, num_features: int) -> nn.Module:
    """Normalises the last axis, every step for itself: neither padding nor a later step reaches another one.

    Every name but "none" is a layer norm here.
    """
    return nn.Identity() if name == "none" else nn.LayerNorm(num_features)


def num_groups(num_channels: int) -> int:
    """The most groups, up to 8, of two or more channels each; doubling a multiple of 16 keeps it."""
    most = max(1, min(MOST_GROUPS, num_channels // 2))
    return max(groups for groups in range(1, most + 1) if num_channels % groups == 0)
