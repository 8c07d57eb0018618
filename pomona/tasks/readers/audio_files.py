"""Recordings as arrays: by soundfile where installed, else wav files by the standard library."""

import wave
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError, MissingExtraError


def read_audio(path: Path) -> tuple[Float[np.ndarray, "samples channels"], int]:
    """The waveform, float32 in [-1, 1], and its rate. Raises DataError when the file cannot be read."""
    try:
        import soundfile
    except ImportError:
        return _read_wave(path)
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"cannot read the recording {path}: {error}") from error
    return _not_empty(path, samples), rate


def read_audio_length(path: Path) -> tuple[int, int]:
    """The number of samples and the rate, from the header alone."""
    try:
        import soundfile
    except ImportError:
        samples, rate = _read_wave(path)
        return len(samples), rate
    try:
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError) as error:
        raise DataError(f"cannot read the recording {path}: {error}") from error
    if info.frames == 0:
        raise DataError(f"the recording {path} has no samples")
    return info.frames, info.samplerate


def _read_wave(path: Path) -> tuple[Float[np.ndarray, "samples channels"], int]:
    if path.suffix.lower() != ".wav":
        raise MissingExtraError("soundfile", "audio")
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except wave.Error as error:
        if "unknown format" in str(error):  # floats and compressed sound
            raise MissingExtraError("soundfile", "audio") from error
        raise DataError(f"cannot read the recording {path}: {error}") from error
    except (EOFError, OSError, RuntimeError) as error:
        raise DataError(f"cannot read the recording {path}: it is cut off") from error
    if width > 4:
        raise DataError(f"cannot read the recording {path}: a sample has {width} bytes, at most 4 are known")
    whole = len(data) // (width * channels) * (width * channels)
    samples = _whole_numbers(data[:whole], width).reshape(-1, channels)
    return _not_empty(path, samples), rate


def _whole_numbers(data: bytes, width: int) -> Float[np.ndarray, " samples"]:
    """Little-endian samples of `width` bytes, scaled to [-1, 1); 8 bits are unsigned, wider ones signed."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    padded = np.zeros((len(data) // width, 4), np.uint8)
    padded[:, 4 - width :] = np.frombuffer(data, np.uint8).reshape(-1, width)
    return (padded.view("<i4")[:, 0] / 2.0**31).astype(np.float32)


def _not_empty(path: Path, samples: np.ndarray) -> np.ndarray:
    if len(samples) == 0:
        raise DataError(f"the recording {path} has no samples")
    return samples
