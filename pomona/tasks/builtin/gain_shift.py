"""`gain-shift`: chirps that training heard at one level, at 20 dB less and more (procedural).

The splits `quieter` and `louder` are the test sounds, noise included, through another microphone.
"""

import numpy as np

from pomona.foundation.randomness import stream
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch
from pomona.tasks.builtin.bird_chirps import CONTOURS, RATE, SAMPLES, draw_chirps
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.audio import fit_audio
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

LEVEL = 0.1
"""Peak of the loudest sound in training; full scale is ten times as much, 20 dB."""


def make(*, seed: int = 0, num_train: int = 1500) -> Task:
    """The task with `num_train` training sounds of 0.4 s and a fifth as many in every other split."""
    splits = {
        split: _at(
            LEVEL,
            draw_chirps(
                stream(seed, "gain shift", split), num_train if split == "train" else max(num_train // 5, 1)
            ),
        )
        for split in ("train", "valid", "test")
    }
    splits |= {"quieter": _at(0.1, splits["test"]), "louder": _at(10.0, splits["test"])}
    return task_of_arrays(
        "gain-shift",
        "classify",
        splits,
        Preprocessing((fit_audio("audio", np.array([SAMPLES / RATE]), rate=RATE, keep_level=True),)),
        {"chirp": Feature("chirp", "category", (), classes=tuple(CONTOURS))},
        about="chirps at other levels than in training (procedural)",
        licence="CC0-1.0",
        notes=("the splits quieter and louder are the test sounds 20 dB down and up",),
    )


def _at(gain: float, batch: Batch) -> Batch:
    return {**batch, "audio": (gain * batch["audio"]).astype(np.float32)}
