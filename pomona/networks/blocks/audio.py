"""From a waveform to a series."""

from typing import Annotated

from torch import nn

from pomona.networks.arguments import Range, Width
from pomona.networks.signal import Signal
from pomona.nn.mel import LogMel


def melspectrogram(
    signal: Signal,
    *,
    bands: Width = 40,
    window_ms: Annotated[float, Range(1.0, 1000.0)] = 25.0,
    hop_ms: Annotated[float, Range(0.5, 1000.0)] = 10.0,
) -> nn.Module:
    """Log-mel energies, a frame every `hop_ms`; nothing is learned. `as_image` makes an image of them.

    A waveform that does not tell its rate counts as 16,000 samples a second.
    """
    rate = signal.rate or 16_000
    return LogMel(rate, num_bands=bands, window=_samples(rate, window_ms), hop=_samples(rate, hop_ms))


def _samples(rate: int, duration_ms: float) -> int:
    return max(2, round(rate * duration_ms / 1000))
