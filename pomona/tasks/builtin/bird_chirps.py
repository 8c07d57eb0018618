"""`bird-chirps`: which of six ways of chirping is heard, at any pitch, length and place (procedural)."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.audio import fit_audio
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

RATE, SAMPLES = 8000, 3200

CONTOURS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "rising": lambda place, seconds: 0.5 * (place - 0.5),
    "falling": lambda place, seconds: 0.5 * (0.5 - place),
    "arched": lambda place, seconds: 0.25 - (2 * place - 1) ** 2 / 2,
    "trilled": lambda place, seconds: 0.2 * np.sign(np.sin(2 * np.pi * 30 * seconds)),
    "warbled": lambda place, seconds: 0.2 * np.sin(2 * np.pi * 12 * seconds),
    "whistled": lambda place, seconds: 0 * place,
}
"""Name → the octaves by which the pitch is off, from the place in the chirp (0 … 1) and its seconds."""

NOISE = 0.05
"""Deviation of the noise; a chirp has a peak of at most 1."""


def make(*, seed: int = 0, num_train: int = 1500) -> Task:
    """The task with `num_train` training sounds of 0.4 s and a fifth as many in valid and test."""
    splits = {
        split: draw_chirps(
            stream(seed, "chirps", split), num_train if split == "train" else max(num_train // 5, 1)
        )
        for split in ("train", "valid", "test")
    }
    return task_of_arrays(
        "bird-chirps",
        "classify",
        splits,
        Preprocessing((fit_audio("audio", np.array([SAMPLES / RATE]), rate=RATE),)),
        {"chirp": Feature("chirp", "category", (), classes=tuple(CONTOURS))},
        about="six ways of chirping at any pitch (procedural)",
        licence="CC0-1.0",
    )


def draw_chirps(generator: np.random.Generator, num_sounds: int) -> Batch:
    """Chirps of 0.12 to 0.3 s around 1.2 to 2.4 kHz somewhere in 0.4 s of noise, and their names."""
    kinds = generator.integers(0, len(CONTOURS), num_sounds)
    duration = generator.uniform(0.12, 0.3, (num_sounds, 1))
    start = generator.uniform(0, 1, (num_sounds, 1)) * (SAMPLES / RATE - duration)
    seconds = np.arange(SAMPLES) / RATE - start
    place = seconds / duration
    octaves = np.zeros_like(seconds)
    for index, contour in enumerate(CONTOURS.values()):
        octaves = np.where((kinds == index)[:, None], contour(place, seconds), octaves)
    pitch_hz = generator.uniform(1200, 2400, (num_sounds, 1)) * 2.0**octaves
    waves = _loudness(place) * np.sin(2 * np.pi * np.cumsum(pitch_hz, 1) / RATE)
    waves *= generator.uniform(0.3, 1.0, (num_sounds, 1))
    waves += NOISE * generator.standard_normal(waves.shape)
    return {"audio": waves.astype(np.float32), "chirp": np.array(list(CONTOURS), object)[kinds]}


def _loudness(place: Float[np.ndarray, "sound sample"]) -> Float[np.ndarray, "sound sample"]:
    """Swelling and fading within the chirp, silence around it."""
    return np.where((place > 0) & (place < 1), np.sin(np.pi * np.clip(place, 0, 1)), 0.0)
