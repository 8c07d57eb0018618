"""Folders of pictures and sounds for tests."""

import wave

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from pomona.foundation.randomness import stream


def photo_folder(folder, num_files=12, sizes=(40, 90)):
    """Cut-outs of two photographs, a sub-folder for each, of unlike sizes, half of them deeper, as JPEG."""
    generator = stream(0, "photos")
    for name in ("china", "flower"):
        photo = load_sample_image(f"{name}.jpg")
        for index in range(num_files):
            height, width = generator.integers(*sizes, 2)
            top, left = generator.integers(0, 300), generator.integers(0, 500)
            place = folder / name / ("deeper" if index % 2 else "") / f"{index}.{('png', 'jpg')[index % 2]}"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(photo[top : top + height, left : left + width]).save(place)
    return folder


def tone_folder(folder, num_files=12, rate=8000):
    """Low and high tones of unlike length, a sub-folder for each."""
    generator = stream(0, "tones")
    for name, low in (("low", 200), ("high", 900)):
        for index in range(num_files):
            time = np.arange(int(rate * generator.uniform(0.2, 0.4))) / rate
            tone = 0.5 * np.sin(2 * np.pi * low * generator.uniform(0.9, 1.1) * time)
            write_wave(folder / name / f"{index}.wav", tone, rate)
    return folder


def write_wave(path, samples, rate=8000, width=2):
    """A wav file of whole numbers of `width` bytes; samples (time[, channel]) in [-1, 1)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.asarray(samples, np.float64)
    samples = samples[:, None] if samples.ndim == 1 else samples
    if width == 1:
        data = np.round(samples * 127 + 128).astype(np.uint8).tobytes()
    else:
        whole = np.round(samples * (2 ** (8 * width - 1) - 1)).astype("<i4").reshape(-1, 1)
        data = whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.shape[1], width, rate, 0, "NONE", ""))
        file.writeframes(data)
    return path
