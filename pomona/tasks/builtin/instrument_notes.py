"""`instrument-notes`: which instrument plays which note, by a sound font (General MIDI).

Split by pairs of instrument and key: test asks for notes of an instrument that training heard from others.
"""

import numpy as np

from pomona.foundation.assets import fetch
from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.audio import fit_audio
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.sound_font import Recording, play, read_sound_font
from pomona.tasks.task import Task

RATE, SECONDS = 8000, 0.4
INSTRUMENTS = {
    "piano": 0,
    "marimba": 12,
    "organ": 19,
    "guitar": 24,
    "violin": 40,
    "trumpet": 56,
    "clarinet": 71,
    "flute": 73,
}
"""Name → program of General MIDI."""

KEYS = range(60, 84)
NOTES = ("C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B")
NOISE = 0.02
SHARES = {"train": 0.7, "valid": 0.15, "test": 0.15}


def make(*, seed: int = 0, num_train: int = 2000) -> Task:
    """The task with about `num_train` training sounds and a quarter as many in valid and test."""
    font = read_sound_font(fetch("sound-font/TimGM6mb.sf2"))
    pairs = [(name, key) for name in INSTRUMENTS for key in KEYS]
    order = stream(seed, "pairs of instrument and key").permutation(len(pairs))
    splits, start = {}, 0
    for split, share in SHARES.items():
        stop = start + round(share * len(pairs))
        chosen = [pairs[place] for place in order[start:stop]]
        recordings = {pair: font.recording(INSTRUMENTS[pair[0]], pair[1]) for pair in chosen}
        num_sounds = num_train if split == "train" else max(num_train // 4, 1)
        splits[split] = _draw(stream(seed, "notes", split), recordings, num_sounds)
        start = stop
    return task_of_arrays(
        "instrument-notes",
        "classify",
        splits,
        Preprocessing((fit_audio("audio", np.array([SECONDS]), rate=RATE),)),
        {
            "instrument": Feature("instrument", "category", (), classes=tuple(INSTRUMENTS)),
            "note": Feature("note", "category", (), classes=NOTES),
        },
        about="instruments and notes, in pairs that training does not have (synthesised)",
        licence="GPL-2.0-or-later (the sound font)",
        notes=("split by pairs of instrument and key",),
    )


def _draw(
    generator: np.random.Generator, recordings: dict[tuple[str, int], Recording], num_sounds: int
) -> Batch:
    """Notes out of tune by up to a fifth of a half tone, with noise; `group` is the pair."""
    pairs = list(recordings)
    chosen = generator.integers(0, len(pairs), num_sounds)
    waves = np.empty((num_sounds, round(SECONDS * RATE)), np.float32)
    for row, place in zip(waves, chosen, strict=True):
        name, key = pairs[place]
        off, skip_s = generator.uniform(-0.2, 0.2), generator.uniform(0, 0.1)
        wave = play(recordings[name, key], key + off, SECONDS, RATE, skip_s=skip_s)
        row[:] = wave / max(float(np.abs(wave).max()), 1e-6) * generator.uniform(0.2, 1.0)
    waves += NOISE * generator.standard_normal(waves.shape).astype(np.float32)
    names = np.array([pairs[place][0] for place in chosen], object)
    notes = np.array([NOTES[pairs[place][1] % 12] for place in chosen], object)
    return {"audio": waves, "instrument": names, "note": notes, "group": chosen}
