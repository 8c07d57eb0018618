import sys

import numpy as np
import pytest
from media_samples import tone_folder, write_wave
from table_samples import whole

from pomona.foundation.errors import DataError, MissingExtraError
from pomona.foundation.randomness import stream
from pomona.tasks import load_task
from pomona.tasks.batch import check_batch
from pomona.tasks.readers.audio_files import read_audio, read_audio_length
from pomona.tasks.readers.read_input import read_input

soundfile = pytest.importorskip("soundfile")


@pytest.fixture
def without_soundfile(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)


@pytest.fixture
def samples():
    return stream(0, "wave").uniform(-0.9, 0.9, (500, 2))


def test_sub_folders_of_recordings_are_classes(tmp_path):
    task = load_task(tone_folder(tmp_path))
    for split in task.splits:
        check_batch(whole(task, split), {**task.inputs, **task.targets})
    feature = task.inputs["audio"]
    assert (feature.kind, feature.rate) == ("audio", 8000)
    assert 0.3 * 8000 < feature.shape[0] <= 0.4 * 8000
    assert task.targets["class"].classes == ("high", "low")


def test_prediction_prepares_a_file_as_training_did(tmp_path):
    task = load_task(tone_folder(tmp_path))
    raw = read_input(tmp_path, task.preprocessing, task.inputs)
    prepared = task.preprocessing.apply(raw.read(np.arange(raw.size)))["audio"]
    trained = whole(task, "train")["audio"]
    assert np.abs(trained[:, None] - prepared[None]).max(2).min(1).max() == 0


def test_rates_widths_and_channels_may_be_mixed(tmp_path):
    tone_folder(tmp_path)
    time = np.arange(44100 // 4) / 44100
    tone = 0.5 * np.sin(2 * np.pi * 900 * time)
    write_wave(tmp_path / "high" / "stereo.wav", np.stack([tone, tone], 1), 44100, width=3)
    write_wave(tmp_path / "high" / "narrow.wav", tone[::2], 22050, width=1)
    task = load_task(tmp_path)
    assert task.inputs["audio"].rate == 8000
    assert sum(source.size for source in task.splits.values()) == 26


def test_high_rates_are_lowered(tmp_path):
    assert load_task(tone_folder(tmp_path, rate=44100)).inputs["audio"].rate == 16000


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_standard_library_reads_what_soundfile_reads(tmp_path, samples, width, monkeypatch):
    path = write_wave(tmp_path / "a.wav", samples, 11025, width)
    reference, rate = read_audio(path)
    np.testing.assert_allclose(reference, samples, atol=max(2.0 ** (2 - 8 * width), 1e-6))
    assert read_audio_length(path) == (500, 11025)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    ours, our_rate = read_audio(path)
    assert our_rate == rate == 11025
    np.testing.assert_array_equal(ours, reference)
    assert read_audio_length(path) == (500, 11025)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floats_need_soundfile(tmp_path, samples, subtype, monkeypatch):
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype=subtype)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav")[0], samples, rtol=1e-6)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingExtraError, match=r"pomona-ml\[audio\]"):
        read_audio(tmp_path / "a.wav")


def test_other_formats_need_soundfile(tmp_path, samples, without_soundfile):
    with pytest.raises(MissingExtraError, match="soundfile"):
        read_audio(tmp_path / "a.flac")


@pytest.mark.parametrize("has_soundfile", [True, False])
def test_recordings_that_cannot_be_read_are_named(tmp_path, has_soundfile, monkeypatch):
    if not has_soundfile:
        monkeypatch.setitem(sys.modules, "soundfile", None)
    empty = write_wave(tmp_path / "empty.wav", np.zeros((0, 1)))
    (tmp_path / "cut.wav").write_bytes(empty.read_bytes()[:20])
    (tmp_path / "table.wav").write_text("a,b\n1,2\n")
    (tmp_path / "none.wav").write_bytes(b"")
    for name in ("empty", "cut", "table", "none"):
        for read in (read_audio, read_audio_length):
            with pytest.raises(DataError, match=rf"{name}\.wav"):
                read(tmp_path / f"{name}.wav")


def test_unreadable_recordings_are_left_out_with_a_note(tmp_path):
    tone_folder(tmp_path)
    write_wave(tmp_path / "low" / "empty.wav", np.zeros((0, 1)))
    (tmp_path / "low" / "table.wav").write_text("a,b\n1,2\n")
    task = load_task(tmp_path)
    assert "2 of 26 files were left out" in task.notes[0]
    assert "empty.wav has no samples" in task.notes[0]


def test_silence_is_an_example_too(tmp_path):
    tone_folder(tmp_path)
    for index in range(4):
        write_wave(tmp_path / "silent" / f"{index}.wav", np.zeros((1000 + index, 1)))
    task = load_task(tmp_path)
    assert "silent" in task.targets["class"].classes
    assert np.isfinite(whole(task, "train")["audio"]).all()
