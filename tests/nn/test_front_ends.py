"""Filterbanks, sPCEN and streaming against plain loops and closed forms."""

import numpy as np
import pytest
import torch
from scipy.signal import lfilter

from pomona.foundation.errors import SettingError
from pomona.nn.band_energy import band_energies, convolved_energies
from pomona.nn.clamped import clamped
from pomona.nn.front_end_stream import FrontEndStream
from pomona.nn.front_ends import FRONT_ENDS
from pomona.nn.gabor import GaborFilters, gabor_filters
from pomona.nn.low_pass import GaussianWindows, HannWindows
from pomona.nn.pcen import Pcen, moving_average
from pomona.nn.sinc import SincFilters

RATE, WINDOW, HOP, FILTERS = 8000, 51, 20, 6


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("num_samples", [1, 19, 20, 21, 130, 777])
@pytest.mark.parametrize(("window", "hop"), [(51, 20), (51, 7), (9, 20), (31, 64)])
def test_energies_are_those_of_plain_convolution(num_samples, window, hop):
    x, filters, windows = random(num_samples), random(2, 3, 51, seed=1), random(3, window, seed=2)
    found = band_energies(x[None], filters, windows, hop)[0]
    taps = filters[0].numpy() + 1j * filters[1].numpy()
    half = window // 2
    for band in range(3):
        energy = np.abs(np.convolve(x.numpy(), taps[band])[25 : 25 + num_samples]) ** 2
        padded = np.pad(energy, (half, half + hop))
        frames = range(-(-num_samples // hop))
        expected = [padded[f * hop : f * hop + window] @ windows[band].numpy() for f in frames]
        np.testing.assert_allclose(found[:, band], expected, rtol=1e-9, atol=1e-9)


def test_gradients_are_those_of_two_convolutions():
    tensors = [random(2, 300), random(2, 3, 51, seed=1), random(3, 51, seed=2)]
    mask = torch.arange(300) < torch.tensor([300, 123])[:, None]
    found = []
    for function in (band_energies, convolved_energies):
        inputs = [tensor.clone().requires_grad_() for tensor in tensors]
        y = function(*inputs, HOP, mask)
        found.append(torch.autograd.grad((y * random(*y.shape, seed=3)).sum(), inputs))
    for ours, plain in zip(*found, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-9)


def test_a_tone_is_strongest_in_the_filter_at_its_frequency():
    filters, windows = GaborFilters(RATE, 40, 201), GaussianWindows(40, 201)
    centers_hz = filters.centers() * RATE / (2 * torch.pi)
    time = torch.arange(4000) / RATE
    for index in (3, 15, 37):
        tone = torch.cos(2 * torch.pi * centers_hz[index] * time)
        energy = band_energies(tone[None], filters(), windows(), 80)[0, 25]
        assert int(energy.argmax()) == index
        # half of a tone's amplitude is at its positive frequency; the lowest filters are cut short
        assert 0.2 < float(energy[index].detach()) < 0.27


def test_gabor_filters_are_the_formula():
    t = np.arange(-25, 26)
    expected = np.exp(-(t**2) / (2 * 7.0**2)) / (np.sqrt(2 * np.pi) * 7.0) * np.exp(1.1j * t)
    real, imaginary = gabor_filters(*torch.tensor([[1.1], [7.0]], dtype=torch.float64), 51)
    np.testing.assert_allclose(real[0] + 1j * imaginary[0], expected, atol=1e-14)


def test_sinc_filters_pass_their_band():
    filters = SincFilters(16_000, 10, 401)
    with torch.no_grad():
        low, high = filters.edges_hz()
        response = torch.fft.rfft(filters(), 16_000).abs()
    for index in (2, 6, 9):
        taps = response[index]
        inside = taps[int(low[index]) + 60 : int(high[index]) - 60]
        outside = torch.cat((taps[: int(low[index]) - 60], taps[int(high[index]) + 60 :]))
        assert float(inside.min() / taps.max()) > 0.9
        assert float(outside.max() / taps.max()) < 0.1


def test_windows_sum_to_one_unless_faithful():
    for windows in (GaussianWindows(4, 101)(), HannWindows(4, 101)()):
        torch.testing.assert_close(windows.sum(1), torch.ones(4))
    assert float(GaussianWindows(4, 101, faithful=True)().detach().max()) == 1.0


@pytest.mark.parametrize("num_frames", [1, 2, 3, 8, 100])
def test_the_moving_average_is_that_of_a_loop(num_frames):
    x, smooth = random(2, num_frames, 3).abs(), torch.tensor([0.04, 0.5, 1.0], dtype=torch.float64)
    expected = np.empty(x.shape)
    for channel, share in enumerate(smooth.tolist()):
        first = (1 - share) * x[:, :1, channel].numpy()
        expected[..., channel] = lfilter([share], [1, share - 1], x[..., channel].numpy(), zi=first)[0]
    np.testing.assert_allclose(moving_average(x, smooth), expected, rtol=1e-12)
    after = moving_average(x, smooth, moving_average(x, smooth)[:, -1])
    whole = moving_average(torch.cat((x, x), 1), smooth)
    torch.testing.assert_close(after, whole[:, num_frames:], rtol=1e-12, atol=1e-14)


def test_pcen_hardly_hears_the_level():
    pcen = Pcen(3).double()
    x = random(1, 50, 3).abs() + 0.01
    quiet, loud = pcen(0.01 * x), pcen(100 * x)
    # x^(1 - 0.96): 40 dB change what is compressed by less than half
    assert float((loud / quiet).max().detach()) < 1.5
    exact = Pcen(3).double()
    torch.nn.init.constant_(exact.alpha.weight, 1 / 0.96)
    torch.testing.assert_close(exact(0.01 * x), exact(100 * x), rtol=1e-6, atol=1e-6)


def test_beyond_a_bound_only_the_way_back_has_a_gradient():
    x = torch.tensor([-1.0, -1.0, 0.5, 3.0, 3.0], requires_grad=True)
    y = clamped(x, 0.0, 1.0)
    assert y.tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    (y * torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0])).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, -1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("kind", [kind for kind in FRONT_ENDS if kind != "efficient-leaf"])
@pytest.mark.parametrize("piece", [1, 33, 160, 2000])
def test_streaming_equals_the_whole(kind, piece):
    front_end = FRONT_ENDS[kind](RATE, FILTERS, WINDOW, HOP).double().eval()
    x = random(2, 703)
    with torch.no_grad():
        whole = front_end(x)
        stream = FrontEndStream(front_end)  # type: ignore[arg-type]
        frames = [stream.push(samples) for samples in x.split(piece, 1)]
        assert sum(part.shape[1] for part in frames) >= (703 - 2 * WINDOW) // HOP
        torch.testing.assert_close(torch.cat([*frames, stream.finish()], 1), whole, rtol=1e-9, atol=1e-12)


def test_what_looks_at_the_whole_recording_does_not_stream():
    with pytest.raises(SettingError, match="LogNorm"):
        FrontEndStream(FRONT_ENDS["efficient-leaf"](RATE, FILTERS, WINDOW, HOP))  # type: ignore[arg-type]


def test_a_stream_keeps_a_bounded_past():
    stream = FrontEndStream(FRONT_ENDS["leaf"](RATE, FILTERS, WINDOW, HOP))  # type: ignore[arg-type]
    for _ in range(50):
        stream.push(torch.zeros(1, 100))
    assert stream._kept is not None
    assert stream._kept.shape[1] < 4 * WINDOW


def test_filters_of_efficient_leaf_are_nearly_those_of_leaf():
    exact, strided = (FRONT_ENDS[kind](16_000, 40, 401, 160) for kind in ("leaf", "efficient-leaf"))
    x = random(1, 8000).float()
    with torch.no_grad():
        difference = exact.bank(x) - strided.bank(x)  # type: ignore[operator]
        assert float(difference.abs().mean() / exact.bank(x).mean()) < 0.1  # type: ignore[operator]
