"""How the recordings of a folder are fitted, and kept: as prepared waveforms of one length."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.audio import apply_audio, fit_audio, rate_key
from pomona.tasks.readers.audio_files import read_audio
from pomona.tasks.readers.folder import File, Media

COLUMN = "audio"
MAX_RATE = 16_000


def audio_media(train: Sequence[File]) -> Media:
    """The step for training files, and the way to read one file.

    Recordings get the rate that most training files have, at most MAX_RATE samples a second.
    """
    rate = min(Counter(file.info[1] for file in train).most_common(1)[0][0], MAX_RATE)
    seconds = np.array([samples / own_rate for samples, own_rate in (file.info for file in train)])
    step = fit_audio(COLUMN, seconds, rate=rate)
    blank = {COLUMN: np.zeros((1, 1), np.float32)}
    return Media(step, lambda path: apply_audio(step, raw_audio([path])), blank, is_prepared=True)


def raw_audio(paths: Sequence[Path]) -> Batch:
    """The raw batch of some files: their waveforms and rates."""
    waves = np.empty(len(paths), object)
    rates = np.zeros(len(paths), np.int64)
    for index, path in enumerate(paths):
        waves[index], rates[index] = read_audio(path)
    return {COLUMN: waves, rate_key(COLUMN): rates}
