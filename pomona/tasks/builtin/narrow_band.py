"""`narrow-band`: which of six tones 40 Hz apart is heard between two louder ones (procedural).

All of it lies within three bands of a mel scale of 40 bands, which is too coarse to tell tone from neighbour;
a filterbank that learns its filters can make some that are narrow enough.
"""

import numpy as np
from jaxtyping import Float

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.audio import fit_audio
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

RATE, SAMPLES = 8000, 2400
TONES_HZ = tuple(range(2900, 3140, 40))
NEIGHBOURS_HZ = ((2700, 2840), (3160, 3300))
"""Where the tones to the left and to the right of a call are drawn from."""

NEIGHBOURS = (0.5, 2.0)
"""Range of their amplitudes; the tone itself has 1."""

SWELL_S = 0.04
"""Deviation of the Gaussian under which a call swells and fades."""

NOISE = 0.2
"""Deviation of the noise."""


def make(*, seed: int = 0, num_train: int = 2000) -> Task:
    """The task with `num_train` training sounds of 0.3 s and a quarter as many in valid and test."""
    splits = {
        split: draw_calls(
            stream(seed, "narrow band", split), num_train if split == "train" else max(num_train // 4, 1)
        )
        for split in ("train", "valid", "test")
    }
    return task_of_arrays(
        "narrow-band",
        "classify",
        splits,
        Preprocessing((fit_audio("audio", np.array([SAMPLES / RATE]), rate=RATE),)),
        {"tone": Feature("tone", "category", (), classes=tuple(f"{hz} Hz" for hz in TONES_HZ))},
        about="a tone between two louder ones, all within three mel bands (procedural)",
        licence="CC0-1.0",
    )


def draw_calls(generator: np.random.Generator, num_sounds: int) -> Batch:
    """Calls of three tones, phases and level at random, in noise; and the pitch of the middle one."""
    places = generator.integers(0, len(TONES_HZ), num_sounds)
    middle_s = generator.uniform(0.12, 0.24, (num_sounds, 1))
    tones = _sines(generator, np.array(TONES_HZ, float)[places])
    for low_hz, high_hz in NEIGHBOURS_HZ:
        amplitude = generator.uniform(*NEIGHBOURS, (num_sounds, 1))
        tones += amplitude * _sines(generator, generator.uniform(low_hz, high_hz, num_sounds))
    swell = np.exp(-0.5 * ((_seconds() - middle_s) / SWELL_S) ** 2)
    waves = tones * swell + NOISE * generator.standard_normal(tones.shape)
    waves *= 10 ** generator.uniform(-2, -1, (num_sounds, 1))
    names = np.array([f"{hz} Hz" for hz in TONES_HZ], object)
    return {"audio": waves.astype(np.float32), "tone": names[places]}


def _sines(
    generator: np.random.Generator, hz: Float[np.ndarray, " sound"]
) -> Float[np.ndarray, "sound sample"]:
    phase = generator.uniform(0, 2 * np.pi, (len(hz), 1))
    return np.sin(2 * np.pi * hz[:, None] * _seconds() + phase)


def _seconds() -> Float[np.ndarray, " sample"]:
    return np.arange(SAMPLES) / RATE
