"""From a waveform to a series."""

from typing import Annotated, Literal

from torch import nn

from pomona.networks.arguments import Range, Width
from pomona.networks.signal import Signal
from pomona.nn import front_ends
from pomona.nn.mel import LogMel

Window = Annotated[float, Range(1.0, 1000.0)]
Hop = Annotated[float, Range(0.5, 1000.0)]
Kind = Literal[
    "mel", "log-mel", "pcen-mel", "sincnet", "sincnet+", "td-filterbanks", "leaf", "efficient-leaf"
]

USUAL_RATE = 16_000
"""The rate of a waveform that does not tell its own."""


def melspectrogram(
    signal: Signal, *, bands: Width = 40, window_ms: Window = 25.0, hop_ms: Hop = 10.0
) -> nn.Module:
    """Log-mel energies, a frame every `hop_ms`; nothing is learned. `as_image` makes an image of them.

    A waveform that does not tell its rate counts as 16,000 samples a second.
    """
    rate = signal.rate or USUAL_RATE
    return LogMel(rate, num_bands=bands, window=_samples(rate, window_ms), hop=_samples(rate, hop_ms))


def leaf(
    signal: Signal,
    *,
    filters: Width = 40,
    window_ms: Window = 25.0,
    hop_ms: Hop = 10.0,
    faithful: bool = False,
) -> nn.Module:
    """LEAF, a learned filterbank in the place of `melspectrogram` (Zeghidour et al. 2021).

    `faithful` follows the authors' release where it differs from the paper.
    """
    rate = signal.rate or USUAL_RATE
    window, hop = _odd(_samples(rate, window_ms)), _samples(rate, hop_ms)
    return front_ends.leaf(rate, filters, window, hop, faithful=faithful)


def front_end(
    signal: Signal,
    *,
    kind: Kind = "leaf",
    filters: Width = 40,
    window_ms: Window = 25.0,
    hop_ms: Hop = 10.0,
) -> nn.Module:
    """Any front end of the table, all with one shape."""
    rate = signal.rate or USUAL_RATE
    window, hop = _odd(_samples(rate, window_ms)), _samples(rate, hop_ms)
    return front_ends.FRONT_ENDS[kind](rate, filters, window, hop)


def _samples(rate: int, duration_ms: float) -> int:
    return max(2, round(rate * duration_ms / 1000))


def _odd(num_samples: int) -> int:
    """Filters have a middle: 400 samples become 401."""
    return num_samples // 2 * 2 + 1
