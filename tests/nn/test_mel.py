"""The mel front end against NumPy's Fourier transform and against tones of known pitch."""

import numpy as np
import torch

from pomona.nn.mel import FLOOR, LogMel, mel_bands

RATE, WINDOW, HOP, BANDS = 8000, 200, 80, 40


def front_end():
    return LogMel(RATE, num_bands=BANDS, window=WINDOW, hop=HOP)


def test_power_is_that_of_numpys_fourier_transform():
    x = np.random.default_rng(0).standard_normal(1001)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    padded = np.pad(x, (WINDOW // 2, WINDOW))
    num_frames = -(-len(x) // HOP)
    frames = np.stack([padded[t * HOP : t * HOP + WINDOW] * hann for t in range(num_frames)])
    power = np.abs(np.fft.rfft(frames) / hann.sum()) ** 2
    loudness = np.log(power @ mel_bands(RATE, WINDOW, BANDS).double().numpy() + FLOOR)
    expected = 1 - loudness / np.log(FLOOR)
    y = front_end().double()(torch.from_numpy(x)[None])[0]
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_silence_is_zero_and_a_tone_is_loudest_in_its_own_band():
    layer = front_end()
    assert torch.equal(layer(torch.zeros(1, 800)), torch.zeros(1, 10, BANDS))
    peaks = []
    for pitch_hz in (300, 600, 1200, 2400):
        tone = torch.sin(2 * torch.pi * pitch_hz * torch.arange(1600) / RATE)
        y = layer(tone[None])[0, 10]
        peaks.append(int(y.argmax()))
        mel = 2595 * np.log10(1 + pitch_hz / 700)
        low, high = (2595 * np.log10(1 + hz / 700) for hz in (20, RATE / 2))
        assert abs(peaks[-1] - ((mel - low) / (high - low) * (BANDS + 1) - 1)) <= 1
        assert 0.7 < float(y.max()) <= 1
    assert peaks == sorted(set(peaks))


def test_bands_are_triangles_that_meet():
    bands = mel_bands(16_000, 2048, 20)
    inside = bands.sum(1)[10:-10]
    assert bands.min() >= 0
    torch.testing.assert_close(inside[30:800], torch.ones_like(inside[30:800]), rtol=1e-4, atol=1e-4)


def test_frames_keep_their_place_when_padding_is_added():
    layer = front_end().double()
    x = torch.randn(1, 950, dtype=torch.float64)
    padded = torch.cat((x, torch.full((1, 650), 9.0, dtype=torch.float64)), 1)
    mask = (torch.arange(1600) < 950)[None]
    frames = layer.mask_after(mask)
    torch.testing.assert_close(layer(padded, mask)[frames], layer(x)[0], rtol=1e-12, atol=1e-12)
