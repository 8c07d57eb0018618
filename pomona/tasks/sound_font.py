"""Notes of instruments from a sound font (SoundFont 2.04): recordings, played faster or slower.

Read are the zones, root keys, tunings and loops of samples; filters, modulators and effects are not, so a
note is the recorded one with a plain fade at its end.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import DataError

INSTRUMENT, KEY_RANGE, SAMPLE, LOOPED, ROOT_KEY, COARSE_TUNE, FINE_TUNE = 41, 43, 53, 54, 58, 51, 52
FADE_S = 0.02
RIGHT_CHANNEL = 2


@dataclass(frozen=True)
class Recording:
    """One sample of a font and how it is played."""

    values: Float[np.ndarray, " samples"]
    rate: int
    root_key: float
    """The MIDI key, fractions included, that it sounds at when played at its own rate."""
    loop: tuple[int, int] | None
    """First sample of the part that is played again and again, and the one after its last."""


@dataclass(frozen=True, eq=False)
class SoundFont:
    """The tables of a font, by their names in the file."""

    tables: dict[str, np.ndarray]
    samples: np.ndarray

    def recording(self, program: int, key: int) -> Recording:
        """What General MIDI `program` (0 … 127) plays for a MIDI key. Raises DataError when nothing."""
        presets = self.tables["phdr"]
        found = np.flatnonzero((presets["program"] == program) & (presets["bank"] == 0))
        if not len(found):
            raise DataError(f"the sound font has no program {program}; choose of 0 … 127")
        for zone in self._zones("pbag", "pgen", presets["bag"][found[0] : found[0] + 2], key):
            if INSTRUMENT not in zone:
                continue
            bags = self.tables["inst"]["bag"][zone[INSTRUMENT] : zone[INSTRUMENT] + 2]
            for inner in self._zones("ibag", "igen", bags, key):
                if SAMPLE in inner and self.tables["shdr"]["type"][inner[SAMPLE]] != RIGHT_CHANNEL:
                    return self._recording(inner)
        raise DataError(f"program {program} of the sound font has no sound for the key {key}")

    def _zones(self, bags: str, generators: str, ends: np.ndarray, key: int) -> list[dict[int, int]]:
        """The generators of every zone that holds `key`, those of a global first zone under their own."""
        zones, common = [], {}
        starts = self.tables[bags]["generator"]
        for bag in range(int(ends[0]), int(ends[1])):
            rows = self.tables[generators][int(starts[bag]) : int(starts[bag + 1])]
            zone = {int(row["kind"]): int(row["amount"]) for row in rows}
            if bag == ends[0] and not {INSTRUMENT, SAMPLE} & set(zone):
                common = zone
                continue
            low, high = divmod(zone.get(KEY_RANGE, 127 << 8), 256)[::-1]
            if low <= key <= high:
                zones.append({**common, **zone})
        return zones

    def _recording(self, zone: dict[int, int]) -> Recording:
        header = self.tables["shdr"][zone[SAMPLE]]
        start, end = int(header["start"]), int(header["end"])
        root = zone.get(ROOT_KEY, 65535)
        root = int(header["root_key"]) if root > 127 else root
        cents = int(header["correction"]) + _signed(zone.get(FINE_TUNE, 0))
        tuned = _signed(zone.get(COARSE_TUNE, 0)) + cents / 100
        loop = (int(header["loop_start"]) - start, int(header["loop_end"]) - start)
        is_looped = zone.get(LOOPED, 0) & 1 and 0 <= loop[0] < loop[1] <= end - start
        values = self.samples[start:end].astype(np.float32) / 32768
        return Recording(values, int(header["rate"]), root - tuned, loop if is_looped else None)


def read_sound_font(path: Path) -> SoundFont:
    """The font of a file of kind .sf2. Raises DataError for anything else."""
    content = path.read_bytes()
    if content[:4] != b"RIFF" or content[8:12] != b"sfbk":
        raise DataError(f"{path} is no sound font: give a file of kind .sf2")
    chunks: dict[str, bytes] = {}
    _collect(memoryview(content)[12:], chunks)
    try:
        tables = {name: np.frombuffer(chunks[name], dtype) for name, dtype in TABLES.items()}
        return SoundFont(tables, np.frombuffer(chunks["smpl"], "<i2"))
    except (KeyError, ValueError) as error:
        raise DataError(f"{path} is a damaged sound font ({error}); get it again") from error


def play(
    recording: Recording, key: float, seconds: float, rate: int, *, skip_s: float = 0.0
) -> Float[np.ndarray, " samples"]:
    """The recording at a MIDI key, fractions included, for so many seconds at `rate`, mono in [-1, 1].

    Playing starts `skip_s` after its beginning. Raises DataError for a key that would alias.
    """
    from scipy.signal import resample_poly

    # first at an even multiple of the new rate, so that one low-pass does for all keys
    speed = 2 ** ((key - recording.root_key) / 12) * recording.rate / (2 * rate)
    if speed > 8:
        raise DataError(f"key {key:g} is more than three octaves above its recording; choose a lower one")
    times = (np.arange(round(2 * rate * seconds)) + 2 * rate * skip_s) * speed
    values = recording.values
    if recording.loop:
        first, stop = recording.loop
        times = np.where(times >= stop, first + (times - first) % (stop - first), times)
    wave = np.interp(times, np.arange(len(values)), values, right=0.0)
    wave = resample_poly(wave, 1, 2)
    fade = min(round(FADE_S * rate), len(wave))
    wave[len(wave) - fade :] *= np.linspace(1, 0, fade)
    return wave.astype(np.float32)


def _signed(amount: int) -> int:
    return amount - 65536 if amount > 32767 else amount


def _collect(content: memoryview, chunks: dict[str, bytes]) -> None:
    """Every chunk by its name, those within lists too."""
    place = 0
    while place + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        body = content[place + 8 : place + 8 + size]
        if name == b"LIST":
            _collect(body[4:], chunks)
        else:
            chunks[name.decode("latin-1")] = bytes(body)
        place += 8 + size + size % 2


TABLES: dict[str, np.dtype] = {
    "phdr": np.dtype(
        [("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "<u4", 3)]
    ),
    "pbag": np.dtype([("generator", "<u2"), ("modulator", "<u2")]),
    "pgen": np.dtype([("kind", "<u2"), ("amount", "<u2")]),
    "inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
    "ibag": np.dtype([("generator", "<u2"), ("modulator", "<u2")]),
    "igen": np.dtype([("kind", "<u2"), ("amount", "<u2")]),
    "shdr": np.dtype(
        [
            ("name", "S20"),
            ("start", "<u4"),
            ("end", "<u4"),
            ("loop_start", "<u4"),
            ("loop_end", "<u4"),
            ("rate", "<u4"),
            ("root_key", "u1"),
            ("correction", "i1"),
            ("link", "<u2"),
            ("type", "<u2"),
        ]
    ),
}
