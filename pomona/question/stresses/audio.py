"""Sounds as other rooms and machines give them: noise, overdrive, speed, a narrow band, reverberation."""

import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from pomona.question.stresses.changed import Change, ChangedSource
from pomona.question.stresses.clean import clean
from pomona.question.stresses.strengths import STRENGTHS
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.audio import SILENCE
from pomona.tasks.source import Source
from pomona.tasks.task import Task

Waves = Float[np.ndarray, "batch samples"]

DEFAULT_RATE = 16000


def audio(task: Task, seed: int) -> dict[str, Source]:
    """Splits named STRESS-STRENGTH; none for a task without sound."""
    if not any(feature.kind == "audio" for feature in task.inputs.values()):
        return {}
    source = clean(task, seed)
    return {
        f"{name}-{strength}": ChangedSource(
            source, _on_waves(task, stress, place), f"{name}-{strength}", seed
        )
        for name, stress in AUDIO.items()
        for place, strength in enumerate(STRENGTHS)
    }


def noise(waves: Waves, rate: float, place: int, generator: np.random.Generator) -> Waves:
    """White noise, 20, 10 or 0 dB below the sound's own power."""
    power = (waves**2).mean(axis=1, keepdims=True)
    below = 10 ** (-(20.0, 10.0, 0.0)[place] / 10)
    return waves + np.sqrt(power * below) * generator.standard_normal(waves.shape, np.float32)


def gain(waves: Waves, rate: float, place: int, generator: np.random.Generator) -> Waves:
    """A microphone turned too high: 6, 12 or 18 dB more, cut off at full scale."""
    return np.clip(waves * (2.0, 4.0, 8.0)[place], -1, 1)


def speed(waves: Waves, rate: float, place: int, generator: np.random.Generator) -> Waves:
    """Played 5, 15 or 30 % faster or slower, a coin for each: time and pitch change."""
    share = (0.05, 0.15, 0.3)[place]
    samples = waves.shape[1]
    middle = (samples - 1) / 2
    out = np.zeros_like(waves)
    for row, wave, factor in zip(out, waves, 1 + share * generator.choice([-1, 1], len(waves)), strict=True):
        there = middle + (np.arange(samples) - middle) * factor
        row[:] = np.interp(there, np.arange(samples), wave, left=0.0, right=0.0)
    return out


def band_limit(waves: Waves, rate: float, place: int, generator: np.random.Generator) -> Waves:
    """Nothing above half, a quarter or an eighth of the highest frequency, as over a poor line."""
    from scipy.signal import butter, sosfiltfilt

    sections = butter(6, (0.5, 0.25, 0.125)[place], output="sos")
    return np.asarray(sosfiltfilt(sections, waves, axis=1, padlen=min(30, waves.shape[1] - 1)))


def reverb(waves: Waves, rate: float, place: int, generator: np.random.Generator) -> Waves:
    """A room in which sound takes 0.2, 0.5 or 1.2 s to fall by 60 dB, another for each sound."""
    from scipy.signal import fftconvolve

    seconds = (0.2, 0.5, 1.2)[place]
    samples = min(max(int(seconds * rate), 1), waves.shape[1])
    decay = 10 ** (-3 * np.arange(samples) / (seconds * rate))
    echoes = generator.standard_normal((len(waves), samples)) * decay
    echoes *= 0.5 / np.maximum(np.linalg.norm(echoes, axis=1, keepdims=True), 1e-12)
    echoes[:, 0] = 1.0
    return fftconvolve(waves, echoes, axes=1)[:, : waves.shape[1]]


AUDIO: dict[str, Callable[[Waves, float, int, np.random.Generator], Waves]] = {
    "noise": noise,
    "gain": gain,
    "speed": speed,
    "band-limit": band_limit,
    "reverb": reverb,
}


def _on_waves(task: Task, stress: Callable[..., Waves], place: int) -> Change:
    names = [name for name, feature in task.inputs.items() if feature.kind == "audio"]
    levelled = {
        step.output: not step.settings.get("keep_level")
        for step in task.preprocessing.steps
        if step.kind == "audio"
    }
    return functools.partial(_changed, task=task, names=names, levelled=levelled, stress=stress, place=place)


def _changed(
    batch: Batch,
    generator: np.random.Generator,
    *,
    task: Task,
    names: list[str],
    levelled: dict[str, bool],
    stress: Callable[..., Waves],
    place: int,
) -> Batch:
    changed = dict(batch)
    for name in names:
        waves = stress(batch[name], task.inputs[name].rate or DEFAULT_RATE, place, generator)
        if levelled.get(name, False):
            peak = np.abs(waves).max(axis=1, keepdims=True)
            waves = waves / np.where(peak > SILENCE, peak, 1)
        changed[name] = np.clip(waves, -1, 1).astype(np.float32)
    return changed
