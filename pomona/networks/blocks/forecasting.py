"""Parts of forecasting networks: from a past of `time` steps to a future of `horizon` steps."""

from torch import nn

from pomona.foundation.errors import SpecError
from pomona.networks.arguments import Factor, Width
from pomona.networks.signal import Signal
from pomona.nn.beside import Beside, LastStep, SeriesPatches
from pomona.nn.cross_attention import CrossAttention
from pomona.nn.missing_steps import MissingSteps
from pomona.nn.multi_rate import MultiRate
from pomona.nn.time_linear import SeasonalRepeat, TimeLinear


def missing_steps(signal: Signal, *, num_values: Width = 1) -> nn.Module:
    """A learned vector for the first features of steps whose last feature is 0."""
    if num_values >= signal.width:
        raise SpecError(f"num_values is below the {signal.width} features, of which the last is the mask")
    return MissingSteps(num_values)


def time_linear(signal: Signal, *, horizon: Width, keeps_level: bool = True) -> nn.Module:
    """Each future step a weighted sum of the past values of the first feature."""
    return TimeLinear(signal.shape[0], horizon, keeps_level=keeps_level)


def seasonal_repeat(signal: Signal, *, season: Width, num_seasons: Factor, horizon: Width) -> nn.Module:
    """The last seasons of the first feature, averaged with learned weights and repeated."""
    if season * num_seasons > signal.shape[0]:
        raise SpecError(f"{num_seasons} seasons of {season} steps do not fit into {signal.shape[0]} steps")
    return SeasonalRepeat(season, num_seasons, horizon)


def multi_rate(
    signal: Signal, *, horizon: Width, rates: tuple[int, ...] = (1, 4), inner: Width = 64, width: Width = 8
) -> nn.Module:
    """Dense stacks that pool the past at several rates (Challu et al. 2023, N-HiTS)."""
    if not rates or min(rates) < 1:
        raise SpecError(f"rates are whole numbers from 1 on, got {list(rates)}")
    return MultiRate((signal.shape[0], signal.width), horizon, rates, inner, width)


def series_patches(signal: Signal, *, size: Width = 4, width: Width = 64) -> nn.Module:
    """Groups of `size` steps, embedded (Nie et al. 2023, PatchTST)."""
    return SeriesPatches(signal.width, size, width)


def last_step(signal: Signal) -> nn.Module:
    """The last step of a series."""
    return LastStep()


def beside(signals: tuple[Signal, ...]) -> nn.Module:
    """A series with vectors beside every step."""
    if signals[0].kind != "series" or any(signal.kind != "vector" for signal in signals[1:]):
        raise SpecError(f"reads a series, then vectors, got {', '.join(map(str, signals))}")
    return Beside()


def cross_attention(signals: tuple[Signal, ...], *, heads: Factor = 4, head_width: Width = 16) -> nn.Module:
    """The steps of the first series read the steps of the second."""
    if len(signals) != 2 or any(signal.kind != "series" for signal in signals):
        raise SpecError(f"reads two series, got {', '.join(map(str, signals))}")
    return CrossAttention(signals[0].width, signals[1].width, heads, head_width)
