"""Joins: one signal from several."""

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.signal import Signal
from pomona.nn.join import Add, Concatenate


def add(signals: tuple[Signal, ...]) -> nn.Module:
    """The sum of signals of one shape."""
    if len({(signal.kind, signal.shape) for signal in signals}) > 1:
        raise SpecError(f"adds signals of one kind and shape, got {_listed(signals)}")
    return Add()


def concatenate(signals: tuple[Signal, ...]) -> nn.Module:
    """Signals of one kind and size side by side, along channels or features."""
    sizes = {(s.kind, s.shape[1:] if s.kind == "image" else s.shape[:-1]) for s in signals}
    if len(sizes) > 1:
        raise SpecError(f"joins signals that differ in width only, got {_listed(signals)}")
    return Concatenate(1 if signals[0].kind == "image" else -1)


def _listed(signals: tuple[Signal, ...]) -> str:
    return ", ".join(map(str, signals))
