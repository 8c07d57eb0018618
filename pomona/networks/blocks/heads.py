"""Heads: the raw outputs that tasks want, as the table of pomona/tasks/task.py says."""

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Width
from pomona.networks.signal import Signal
from pomona.nn.head import Head, PixelHead, StepHead


def head(signal: Signal, *, shape: tuple[int, ...]) -> nn.Module:
    """(batch, *shape) from a vector: classes, values, or (horizon, features)."""
    return Head(signal.width, shape)


def step_head(signal: Signal, *, classes: Width) -> nn.Module:
    """(batch, time, classes) from a series: a class, or the next token, at every step."""
    return StepHead(signal.width, classes)


def pixel_head(signal: Signal, *, classes: Width, size: tuple[int, ...]) -> nn.Module:
    """(batch, classes, height, width) from an image, at any size."""
    if len(size) != 2:
        raise SpecError(f"argument 'size' is [height, width], got {list(size)}")
    return PixelHead(signal.width, classes, (size[0], size[1]))
