"""Energies in bands, averaged over windows: convolution, squared modulus and pooling in one pass.

A signal of n samples and N filters has n · N values between convolution and pooling, 40 times the signal,
which is what a filterbank on waveforms spends its time and memory on. Here the signal is cut into blocks
that fit a processor's cache; each is filtered by Fourier transforms (overlap-save), squared and pooled before
the next one, and the way back computes the block once more instead of having kept it.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float
from scipy.fft import next_fast_len
from torch import Tensor
from torch.nn import functional as F

BLOCK_WINDOWS = 4
"""New samples of a block, in windows; as many Fourier coefficients as five windows have samples."""

AT_ONCE = 100_000
"""Filtered samples that go through memory together, in blocks; a processor's second cache holds them."""


def band_energies(
    x: Float[Tensor, "batch samples"],
    filters: Float[Tensor, "part filter tap"],
    windows: Float[Tensor, "filter window_tap"],
    hop: int,
    mask: Bool[Tensor, "batch samples"] | None = None,
) -> Float[Tensor, "batch frame filter"]:
    """The squared modulus of `x` convolved with complex filters, under a window around every hop-th sample.

    There are ⌈samples / hop⌉ frames, frame t is centred on sample t · hop, and nothing sounds outside the
    real samples. Numbers of taps are odd. Exported networks use one strided convolution after the other
    instead of Fourier transforms, with equal results.
    """
    if mask is not None:
        x = x.masked_fill(~mask, 0.0)
    if torch.compiler.is_compiling() or x.device.type == "meta":
        return convolved_energies(x, filters, windows, hop, mask)
    layout = _Layout(x.shape[1], filters.shape[2], windows.shape[1], hop)
    blocks, real, parts = layout.blocks(x), layout.real(x, mask), layout.window_parts(windows)
    # sums over thousands of samples are not for half precision
    with torch.autocast(x.device.type, enabled=False):
        spectra = torch.fft.fft(torch.complex(filters[0], filters[1]), n=layout.block)
        at_once = max(1, AT_ONCE // spectra.numel())
        hops = _Blocks.apply(blocks, real, spectra, parts, layout.first, at_once)
    return layout.joined(hops, len(x))  # type: ignore[arg-type]


def convolved_energies(
    x: Float[Tensor, "batch samples"],
    filters: Float[Tensor, "part filter tap"],
    windows: Float[Tensor, "filter window_tap"],
    hop: int,
    mask: Bool[Tensor, "batch samples"] | None = None,
    *,
    stride: int = 1,
) -> Float[Tensor, "batch frame filter"]:
    """The same by two convolutions. With a `stride`, a divisor of the hop, only every stride-th sample is
    filtered, and a tap of a window is as long.
    """
    num_filters, half = filters.shape[1], filters.shape[2] // 2
    if mask is not None:
        x = x.masked_fill(~mask, 0.0)
    kernels = filters.flip(2).flatten(0, 1)[:, None]
    y = F.conv1d(x[:, None], kernels, stride=stride, padding=half).square()
    energy = y[:, :num_filters] + y[:, num_filters:]
    if mask is not None:
        energy = energy.masked_fill(~mask[:, None, ::stride], 0.0)
    padding = windows.shape[1] // 2
    pooled = F.conv1d(energy, windows[:, None], stride=hop // stride, padding=padding, groups=num_filters)
    return pooled.transpose(1, 2)


class _Layout:
    """Where blocks lie in a signal, and how the hops of which they consist make frames."""

    def __init__(self, num_samples: int, num_taps: int, num_window_taps: int, hop: int):
        self.hop = hop
        self.num_samples = num_samples
        self.num_frames = -(-num_samples // hop)
        self.half, self.window_half = num_taps // 2, num_window_taps // 2
        self.hops = max(1, min(BLOCK_WINDOWS * (num_taps - 1) // hop, self.num_frames))
        self.new = self.hops * hop
        self.num_blocks = -(-self.num_frames // self.hops)
        self.block: int = next_fast_len(self.new + num_taps - 1)  # type: ignore[assignment]
        self.first = num_taps - 1
        # hops before and from the centre of a frame that its window reaches
        self.before, self.after = -(-self.window_half // hop), self.window_half // hop + 1

    def blocks(self, x: Tensor) -> Float[Tensor, "block samples"]:
        """Blocks of `new` samples each, after the samples that their first filtered ones look back to."""
        missing = self.num_blocks * self.new - self.num_samples
        # the filters are centred: what is filtered is ahead by half of them
        right = missing + self.half + self.block - self.new - self.first
        padded = F.pad(x, (self.half, right))
        return padded.unfold(1, self.block, self.new).flatten(0, 1)

    def real(self, x: Tensor, mask: Tensor | None) -> Float[Tensor, "block samples"]:
        """1 where a sample of a block is real."""
        real = torch.ones_like(x) if mask is None else mask.to(x.dtype)
        padded = F.pad(real, (0, self.num_blocks * self.new - self.num_samples))
        return padded.unflatten(1, (-1, self.new)).flatten(0, 1)

    def window_parts(self, windows: Tensor) -> Float[Tensor, "filter part sample"]:
        """Windows cut at the borders of hops."""
        left = self.before * self.hop - self.window_half
        right = self.after * self.hop - self.window_half - 1
        return F.pad(windows, (left, right)).unflatten(1, (-1, self.hop))

    def joined(self, parts: Float[Tensor, "block filter hop part"], batch: int) -> Tensor:
        """Frames: the sum over parts, each from its own hop."""
        y = parts.unflatten(0, (batch, -1)).transpose(2, 3).flatten(1, 2)[:, : self.num_frames]
        y = F.pad(y, (0, 0, 0, 0, self.before, self.after))
        steps = range(self.before + self.after)
        return torch.stack([y[:, step : step + self.num_frames, :, step] for step in steps]).sum(0)


class _Blocks(torch.autograd.Function):
    """Blocks → the energy of every filter in every hop, under every part of its window."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        blocks: Float[Tensor, "block sample"],
        real: Float[Tensor, "block new"],
        spectra: Float[Tensor, "filter frequency"],
        windows: Float[Tensor, "filter part hop_sample"],
        first: int,
        at_once: int,
    ) -> Float[Tensor, "block filter hop part"]:
        pieces = []
        for start in range(0, len(blocks), at_once):
            piece = slice(start, start + at_once)
            filtered = _filtered(torch.fft.fft(blocks[piece]), spectra, first, real.shape[1])
            energy = _energy(filtered, real[piece], windows)
            pieces.append(torch.einsum("bfhs,fps->bfhp", energy, windows))
        return torch.cat(pieces)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        *tensors, ctx.first, ctx.at_once = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple:  # type: ignore[override]
        blocks, real, spectra, windows = ctx.saved_tensors
        of_blocks, of_spectra, of_windows = [], [], []
        wants_blocks = ctx.needs_input_grad[0]
        for start in range(0, len(blocks), ctx.at_once):
            piece = slice(start, start + ctx.at_once)
            transformed = torch.fft.fft(blocks[piece])
            filtered = _filtered(transformed, spectra, ctx.first, real.shape[1])
            energy, above = _energy(filtered, real[piece], windows), gradient[piece]
            of_windows.append((above.mT @ energy).sum(0))
            # 2 of the square and the length of the inverse transform: here it is cheapest to scale
            scale = real[piece][:, None] * (2 / blocks.shape[1])
            of_energy = (above @ windows).flatten(2) * scale
            padded = F.pad(filtered * of_energy, (ctx.first, blocks.shape[1] - ctx.first - real.shape[1]))
            back = torch.fft.fft(padded)
            of_spectra.append((back * transformed.conj()[:, None]).sum(0))
            if wants_blocks:
                # the way back through the transform of a real signal
                of_blocks.append(torch.fft.ifft((back * spectra.conj()).sum(1)).real * blocks.shape[1])
        return (
            torch.cat(of_blocks) if wants_blocks else None,
            None,
            torch.stack(of_spectra).sum(0),
            torch.stack(of_windows).sum(0),
            None,
            None,
        )


def _filtered(transformed: Tensor, spectra: Tensor, first: int, new: int) -> Tensor:
    return torch.fft.ifft(transformed[:, None] * spectra)[..., first : first + new]


def _energy(
    filtered: Tensor, real: Float[Tensor, "block new"], windows: Tensor
) -> Float[Tensor, "block filter hop hop_sample"]:
    energy = (filtered.real.square() + filtered.imag.square()) * real[:, None]
    return energy.unflatten(2, (-1, windows.shape[2]))
