"""The tasks on sounds: what is heard is what the target says, and what a split promises holds."""

import numpy as np
import pytest

from pomona.foundation.assets import fetch
from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks import load_task
from pomona.tasks.batch import check_batch
from pomona.tasks.builtin import bird_chirps, instrument_notes, narrow_band
from pomona.tasks.sound_font import play, read_sound_font


def whole(task, split):
    return task.splits[split].read(np.arange(task.splits[split].size))


def pitch_hz(wave, rate, near_hz):
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 65536))
    hz = np.fft.rfftfreq(65536, 1 / rate)
    near = (hz > near_hz * 0.94) & (hz < near_hz * 1.06)
    return hz[near][spectrum[near].argmax()]


def test_the_tone_of_a_narrow_band_call_is_there_and_within_a_mel_band():
    raw = narrow_band.draw_calls(stream(0, "test"), 60)
    hz = np.fft.rfftfreq(narrow_band.SAMPLES, 1 / narrow_band.RATE)
    spectra = np.abs(np.fft.rfft(raw["audio"] * np.hanning(narrow_band.SAMPLES)))
    inside = (hz > 2870) & (hz < 3130)
    heard = hz[inside][spectra[:, inside].argmax(1)]
    said = np.array([float(name.split()[0]) for name in raw["tone"]])
    assert (np.abs(heard - said) < 15).mean() > 0.95
    mels = 2595 * np.log10(1 + np.array([narrow_band.TONES_HZ[0], narrow_band.TONES_HZ[-1]]) / 700)
    width = 2595 * np.log10(1 + narrow_band.RATE / 2 / 700) / 41
    assert mels[1] - mels[0] < 2 * width


def test_chirps_rise_and_fall_as_their_names_say():
    raw = bird_chirps.draw_chirps(stream(0, "test"), 200)
    for name, sign in (("rising", 1), ("falling", -1)):
        for wave in raw["audio"][raw["chirp"] == name]:
            loud = np.flatnonzero(np.abs(wave) > 0.2)
            parts = np.array_split(wave[loud[0] : loud[-1]], 2)
            crossings = [(np.diff(np.sign(part)) != 0).mean() for part in parts]
            assert sign * (crossings[1] - crossings[0]) > 0


def test_gain_shift_changes_the_level_of_the_test_sounds_and_nothing_else():
    task = load_task("gain-shift", num_train=50)
    test, quieter, louder = (whole(task, split)["audio"] for split in ("test", "quieter", "louder"))
    np.testing.assert_allclose(quieter, 0.1 * test, rtol=1e-5)
    np.testing.assert_allclose(louder, 10 * test, rtol=1e-5)
    assert np.abs(test).max() < 0.2
    # a recording of a user keeps its level too
    raw = {"audio": 0.3 * test}
    np.testing.assert_allclose(task.preprocessing.apply(raw)["audio"], 0.3 * test, rtol=1e-5)


def test_notes_of_a_sound_font_have_their_pitch(assets):
    assets("sound-font")
    font = read_sound_font(fetch("sound-font/TimGM6mb.sf2"))
    for program in instrument_notes.INSTRUMENTS.values():
        for key in (60, 67, 72, 83):
            wanted = 440 * 2 ** ((key - 69) / 12)
            wave = play(font.recording(program, key), key, 0.4, 8000, skip_s=0.1)
            # vibrato and stretched tuning stay within a tenth of a half tone
            assert abs(12 * np.log2(pitch_hz(wave, 8000, wanted) / wanted)) < 0.1
    with pytest.raises(DataError, match="no program"):
        font.recording(128, 60)


def test_what_is_no_sound_font_is_refused(tmp_path):
    path = tmp_path / "font.sf2"
    path.write_bytes(b"RIFF....WAVE")
    with pytest.raises(DataError, match="no sound font"):
        read_sound_font(path)
    path.write_bytes(b"RIFF\x10\0\0\0sfbkLIST\x04\0\0\0pdta")
    with pytest.raises(DataError, match="damaged"):
        read_sound_font(path)


def test_pairs_of_instrument_and_key_are_in_one_split(assets):
    assets("sound-font")
    task = load_task("instrument-notes", num_train=300)
    batches = [whole(task, split) for split in ("train", "valid", "test")]
    for batch in batches:
        check_batch(batch, {**task.inputs, **task.targets})
    assert len(np.unique(batches[0]["instrument"])) == 8
    assert len(np.unique(batches[0]["note"])) == 12


def test_every_sound_of_the_joint_task_has_the_targets_of_its_own_and_no_other(assets):
    assets("sound-font")
    assets("fsdd")
    task = load_task("sound-tasks", num_each=30)
    batch = whole(task, "train")
    check_batch(batch, {**task.inputs, **task.targets})
    masks = np.stack([batch[f"{name}.mask"] for name in ("digit", "chirp", "instrument", "note")])
    assert masks.sum(1).tolist() == [30, 30, 30, 30]
    assert (masks[2] == masks[3]).all()
    assert (masks[:3].sum(0) == 1).all()
