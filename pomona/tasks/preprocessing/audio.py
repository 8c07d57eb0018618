"""Waveforms of any rate, length and number of channels become mono of one rate and length."""

from collections.abc import Mapping
from math import gcd

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.step import Step

SILENCE = 1e-4
"""A peak of −80 dB of full scale: below is no sound to be made louder."""


def rate_key(column: str) -> str:
    """The raw column that may hold the rate of each waveform, in samples a second."""
    return f"{column}.rate"


def fit_audio(
    column: str,
    seconds: Float[np.ndarray, " batch"],
    *,
    rate: int,
    output: str = "audio",
    max_seconds: float = 10.0,
    keep_level: bool = False,
) -> Step:
    """The step for training waveforms of so many seconds: all get the length that 95 % do not exceed.

    With `keep_level` a loud waveform stays louder than a quiet one.
    """
    samples = max(int(np.ceil(min(float(np.quantile(seconds, 0.95)), max_seconds) * rate)), 1)
    settings = {"rate": int(rate), "samples": samples}
    return Step("audio", (column,), output, settings | ({"keep_level": True} if keep_level else {}))


def apply_audio(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Waveforms (batch, samples), float32 in [-1, 1]: the middle of longer ones, silence around shorter ones.

    Each is scaled to a peak of 1, because how loud a recording is tells of the microphone; silence stays
    silent. A step with `keep_level` scales nothing.
    """
    column, settings = step.columns[0], step.settings
    waves = raw[column]
    rates = raw.get(rate_key(column), np.full(len(waves), settings["rate"]))
    out = np.zeros((len(waves), settings["samples"]), np.float32)
    for row, wave, rate in zip(out, waves, rates, strict=True):
        wave = np.nan_to_num(resample(mono(wave), int(rate), settings["rate"]))
        extra = len(wave) - len(row)
        if extra >= 0:
            row[:] = wave[extra // 2 : extra // 2 + len(row)]
        else:
            row[-extra // 2 : -extra // 2 + len(wave)] = wave
    if settings.get("keep_level"):
        return {step.output: out}
    peak = np.abs(out).max(1, keepdims=True)
    return {step.output: out / np.where(peak > SILENCE, peak, 1)}


def mono(wave: np.ndarray) -> Float[np.ndarray, " samples"]:
    """The mean of all channels (samples[, channels]) as float32; whole numbers are scaled to [-1, 1]."""
    wave = np.asarray(wave)
    if wave.ndim not in (1, 2) or wave.dtype.kind not in "iuf":
        raise DataError(
            f"a waveform is (samples,) or (samples, channels) of numbers, got {wave.dtype} {wave.shape}"
        )
    values = wave.astype(np.float32)
    if wave.dtype.kind in "iu":
        middle = 2.0 ** (8 * wave.dtype.itemsize - 1)
        values = (values - (middle if wave.dtype.kind == "u" else 0)) / np.float32(middle)
    return values.mean(1) if wave.ndim == 2 else values


def resample(
    wave: Float[np.ndarray, " samples"], rate: int, new_rate: int
) -> Float[np.ndarray, " new_samples"]:
    """The waveform at another rate, without aliasing."""
    if rate == new_rate or not len(wave):
        return wave
    if rate <= 0:
        raise DataError(f"a waveform has the rate {rate}; it must be above 0")
    from scipy.signal import resample_poly

    shared = gcd(rate, new_rate)
    return resample_poly(wave, new_rate // shared, rate // shared).astype(np.float32)
