"""Log-mel spectrograms as a convolution with fixed weights: no torch.stft, so every exporter takes it."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

FLOOR = 1e-6


class LogMel(nn.Module):
    """(batch, samples) → (batch, ⌈samples / hop⌉, num_bands), silence is 0, full scale about 1.

    The logarithm of the power of `MelPower` + 1e-6, scaled by fixed numbers, the same for every recording.
    """

    def __init__(self, rate: int, *, num_bands: int, window: int, hop: int):
        super().__init__()
        self.power = MelPower(rate, num_bands=num_bands, window=window, hop=hop)
        self.hop = hop
        self.reach = self.power.reach

    def forward(
        self, x: Float[Tensor, "batch samples"], mask: Bool[Tensor, "batch samples"] | None = None
    ) -> Float[Tensor, "batch frame band"]:
        loudness = (self.power(x, mask) + FLOOR).log()
        return 1.0 - loudness / math.log(FLOOR)

    def mask_after(self, mask: Bool[Tensor, "batch samples"]) -> Bool[Tensor, "batch frame"]:
        """The mask of the frames: real where the frame's centre is."""
        return self.power.mask_after(mask)


class MelPower(nn.Module):
    """(batch, samples) → (batch, ⌈samples / hop⌉, num_bands): the power in bands of the mel scale.

    Frame t is a Hann window of `window` samples centred on sample t · hop; samples that are not real count
    as silence. Bands are triangles equally wide on the mel scale (HTK's formula) from 20 Hz to half the
    rate.
    """

    fourier: Tensor
    mel: Tensor

    def __init__(self, rate: int, *, num_bands: int, window: int, hop: int):
        super().__init__()
        self.window = window
        self.hop = hop
        self.reach = window // 2
        self.register_buffer("fourier", fourier_basis(window), persistent=False)
        self.register_buffer("mel", mel_bands(rate, window, num_bands), persistent=False)

    def forward(
        self, x: Float[Tensor, "batch samples"], mask: Bool[Tensor, "batch samples"] | None = None
    ) -> Float[Tensor, "batch frame band"]:
        if mask is not None:
            x = x.masked_fill(~mask, 0.0)
        left = self.window // 2
        num_frames = -(-x.shape[1] // self.hop)
        right = max(0, (num_frames - 1) * self.hop + self.window - left - x.shape[1])
        parts = F.conv1d(F.pad(x, (left, right))[:, None], self.fourier, stride=self.hop)[:, :, :num_frames]
        power = parts.square().unflatten(1, (2, -1)).sum(1)
        return power.transpose(1, 2) @ self.mel

    def mask_after(self, mask: Bool[Tensor, "batch samples"]) -> Bool[Tensor, "batch frame"]:
        """The mask of the frames: real where the frame's centre is."""
        return mask[:, :: self.hop]


def fourier_basis(window: int) -> Float[Tensor, "part 1 sample"]:
    """Hann-windowed cosines, then sines, of the frequencies 0 … window // 2, over the sum of the window."""
    samples = torch.arange(window, dtype=torch.float64)
    hann = 0.5 - 0.5 * torch.cos(2 * math.pi * samples / window)
    angles = 2 * math.pi * torch.outer(torch.arange(window // 2 + 1, dtype=torch.float64), samples) / window
    basis = torch.cat((angles.cos(), angles.sin())) * hann / hann.sum()
    return basis[:, None].to(torch.get_default_dtype())


def mel_bands(
    rate: int, window: int, num_bands: int, lowest_hz: float = 20.0
) -> Float[Tensor, "frequency band"]:
    """Triangles that rise from the band below's peak to 1 and fall to the next one's peak."""
    edges = torch.linspace(_mel(lowest_hz), _mel(rate / 2), num_bands + 2, dtype=torch.float64)
    frequencies = torch.arange(window // 2 + 1, dtype=torch.float64) * rate / window
    mels = 2595.0 * torch.log10(1 + frequencies / 700.0)[:, None]
    low, peak, high = edges[:-2], edges[1:-1], edges[2:]
    bands = torch.minimum((mels - low) / (peak - low), (high - mels) / (high - peak)).clamp(min=0.0)
    return bands.to(torch.get_default_dtype())


def _mel(frequency_hz: float) -> float:
    return 2595.0 * math.log10(1 + frequency_hz / 700.0)
