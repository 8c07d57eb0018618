"""The table of front ends: name → (rate, filters, window, hop) → what makes a series of a waveform."""

from collections.abc import Callable

from torch import nn

from pomona.nn.filterbanks import FreeFilters, GroupedGaborBank, ModulusBank, SincBank
from pomona.nn.front_end import FrontEnd, LogEnergy, LogNorm
from pomona.nn.gabor import GaborFilters
from pomona.nn.low_pass import GaussianWindows, HannWindows
from pomona.nn.mel import LogMel, MelPower
from pomona.nn.pcen import Pcen
from pomona.nn.sinc import SincFilters

RELEASE_FLOOR = 1e-5


def leaf(rate: int, num_filters: int, window: int, hop: int, *, faithful: bool = False) -> FrontEnd:
    """Gabor filters, Gaussian windows, sPCEN: seven weights a filter (Zeghidour et al. 2021, LEAF).

    `faithful` follows the release where it leaves the paper: windows with a peak of 1 rather than a sum of
    1, and energies of at least 1e-5.
    """
    bank = ModulusBank(
        GaborFilters(rate, num_filters, window),
        GaussianWindows(num_filters, window, faithful=faithful),
        window,
        hop,
    )
    return FrontEnd(bank, Pcen(num_filters, **({"floor": RELEASE_FLOOR} if faithful else {})), hop)


def efficient_leaf(rate: int, num_filters: int, window: int, hop: int) -> FrontEnd:
    """LEAF with strides and taps by group of filters and a logarithm (Schlüter and Gutenbrunner 2022)."""
    return FrontEnd(GroupedGaborBank(rate, num_filters, window, hop), LogNorm(num_filters), hop)


def td_filterbanks(rate: int, num_filters: int, window: int, hop: int) -> FrontEnd:
    """Filters of free taps, squared Hann windows, a logarithm (Zeghidour et al. 2018)."""
    bank = ModulusBank(FreeFilters(rate, num_filters, window), HannWindows(num_filters, window), window, hop)
    return FrontEnd(bank, LogEnergy(), hop)


def sincnet(rate: int, num_filters: int, window: int, hop: int) -> FrontEnd:
    """Sinc filters, maxima, a layer norm (Ravanelli and Bengio 2018), as LEAF's authors compare it."""
    bank = SincBank(SincFilters(rate, num_filters, window), None, hop)
    return FrontEnd(bank, nn.LayerNorm(num_filters), hop)


def sincnet_plus(rate: int, num_filters: int, window: int, hop: int) -> FrontEnd:
    """Sinc filters with LEAF's windows and sPCEN."""
    filters, windows = SincFilters(rate, num_filters, window), GaussianWindows(num_filters, window)
    return FrontEnd(SincBank(filters, windows, hop), Pcen(num_filters), hop)


def mel(rate: int, num_filters: int, window: int, hop: int) -> FrontEnd:
    """The power in mel bands, nothing compressed, nothing learned."""
    return FrontEnd(_mel_power(rate, num_filters, window, hop), nn.Identity(), hop)


def log_mel(rate: int, num_filters: int, window: int, hop: int) -> LogMel:
    """The logarithm of the power in mel bands, nothing learned."""
    return LogMel(rate, num_bands=num_filters, window=window, hop=hop)


def pcen_mel(rate: int, num_filters: int, window: int, hop: int) -> FrontEnd:
    """The power in mel bands with learned sPCEN."""
    return FrontEnd(_mel_power(rate, num_filters, window, hop), Pcen(num_filters), hop)


def _mel_power(rate: int, num_filters: int, window: int, hop: int) -> MelPower:
    return MelPower(rate, num_bands=num_filters, window=window, hop=hop)


FRONT_ENDS: dict[str, Callable[[int, int, int, int], nn.Module]] = {
    "mel": mel,
    "log-mel": log_mel,
    "pcen-mel": pcen_mel,
    "sincnet": sincnet,
    "sincnet+": sincnet_plus,
    "td-filterbanks": td_filterbanks,
    "leaf": leaf,
    "efficient-leaf": efficient_leaf,
}
