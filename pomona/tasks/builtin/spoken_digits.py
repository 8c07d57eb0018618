"""`spoken-digits`: 3,000 recordings of ten digits by six speakers, 8 kHz (Free Spoken Digit Dataset).

Split by speaker: four for training, one for validation, one for test, so that a score tells how well voices
are understood that were never heard. The seed turns the order of the speakers.
"""

import io
import re
import tarfile
import wave

import numpy as np

from pomona.foundation.assets import fetch
from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import Batch, take
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing.audio import fit_audio
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.task import Task

RATE = 8000
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
_NAME = re.compile(r"recordings/(\d)_(\w+)_(\d+)\.wav")


def make(*, seed: int = 0) -> Task:
    """The task; `group` is the number of the speaker."""
    raw = _read()
    order = np.roll(np.arange(len(SPEAKERS)), -seed)
    speakers = {"train": order[:4], "valid": order[4:5], "test": order[5:]}
    splits = {
        split: take(raw, np.flatnonzero(np.isin(raw["group"], some))) for split, some in speakers.items()
    }
    seconds = np.array([len(waveform) / RATE for waveform in splits["train"]["audio"]])
    told = "; ".join(
        f"{split}: {', '.join(SPEAKERS[one] for one in some)}" for split, some in speakers.items()
    )
    return task_of_arrays(
        "spoken-digits",
        "classify",
        splits,
        Preprocessing((fit_audio("audio", seconds, rate=RATE),)),
        {"digit": Feature("digit", "category", (), classes=tuple("0123456789"))},
        about="spoken digits of speakers that training does not have",
        licence="CC BY-SA 4.0",
        notes=(f"split by speaker, {told}",),
    )


def _read() -> Batch:
    waves, digits, speakers = [], [], []
    with tarfile.open(fetch("fsdd/recordings.tar")) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            match = _NAME.fullmatch(member.name)
            content = archive.extractfile(member) if match else None
            if match and content:
                waves.append(_samples(content.read()))
                digits.append(match[1])
                speakers.append(SPEAKERS.index(match[2]))
    audio = np.empty(len(waves), object)
    audio[:] = waves
    return {"audio": audio, "digit": np.array(digits, object), "group": np.array(speakers)}


def _samples(content: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")
