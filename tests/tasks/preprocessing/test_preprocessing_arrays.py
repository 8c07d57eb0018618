"""Vectors, series and waveforms."""

import numpy as np
import pytest

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.preprocessing.arrays import apply_series, apply_vector, fit_series, fit_vector
from pomona.tasks.preprocessing.audio import apply_audio, fit_audio, mono, rate_key, resample


def objects(*values):
    array = np.empty(len(values), object)
    array[:] = values
    return array


def test_vectors_are_standardised_and_missing_values_are_the_mean():
    values = stream(0, "vectors").normal(2, 3, (100, 2, 3))
    values[0, 0, 0] = np.nan
    vectors = apply_vector(fit_vector("v", values), {"v": values})["vector"]
    assert vectors.shape == (100, 6)
    assert vectors[0, 0] == 0
    np.testing.assert_allclose(vectors[1:].std(0), 1, atol=0.02)


def test_vectors_of_another_size_are_refused():
    step = fit_vector("v", np.zeros((4, 3)))
    with pytest.raises(DataError, match="5 features, wanted 3"):
        apply_vector(step, {"v": np.zeros((2, 5))})
    with pytest.raises(DataError, match="unequal shapes"):
        apply_vector(step, {"v": objects(np.zeros(3), np.zeros(2))})


def test_series_of_unlike_length_are_padded_and_masked():
    values = objects(np.ones((2, 2)), np.zeros((4, 2)), np.ones((0, 2)))
    step = fit_series("s", values)
    batch = apply_series(step, {"s": values})
    assert batch["series"].shape == (3, 4, 2)
    assert batch["series.mask"].sum(1).tolist() == [2, 4, 1]
    assert not batch["series"][~batch["series.mask"]].any()


def test_longer_series_keep_their_last_steps():
    step = fit_series("s", objects(np.arange(3.0), np.arange(2.0)))
    batch = apply_series(step, {"s": objects(np.arange(10.0), np.arange(7.0, 10.0))})
    np.testing.assert_array_equal(batch["series"][0], batch["series"][1])


def test_series_of_one_length_have_no_mask_and_other_lengths_are_refused():
    values = stream(0, "series").normal(size=(10, 6))
    step = fit_series("s", values)
    batch = apply_series(step, {"s": values})
    assert list(batch) == ["series"]
    assert batch["series"].shape == (10, 6, 1)
    np.testing.assert_allclose(batch["series"].std(), 1, rtol=1e-5)
    with pytest.raises(DataError, match="5 steps, wanted 6"):
        apply_series(step, {"s": values[:, :5]})
    with pytest.raises(DataError, match="same features"):
        apply_series(step, {"s": objects(np.zeros((6, 1)), np.zeros((6, 2)))})


def tone(rate, seconds=0.5, frequency=440.0):
    return np.sin(2 * np.pi * frequency * np.arange(int(rate * seconds)) / rate)


def test_a_tone_is_the_same_tone_at_another_rate():
    resampled = resample(tone(44100).astype(np.float32), 44100, 8000)
    assert len(resampled) == 4000
    np.testing.assert_allclose(resampled[200:-200], tone(8000)[200:-200], atol=2e-3)


def test_what_the_new_rate_cannot_hold_is_removed():
    too_high = tone(16000, frequency=7000).astype(np.float32)
    assert np.abs(resample(too_high, 16000, 8000)[200:-200]).max() < 0.01


def test_whole_numbers_of_every_width_agree():
    wave = np.array([0.0, 0.5, -0.5])
    for dtype, middle in ((np.int16, 2**15), (np.int32, 2**31)):
        np.testing.assert_allclose(mono((wave * middle).astype(dtype)), wave)
    np.testing.assert_allclose(mono((wave * 128 + 128).astype(np.uint8)), wave)
    np.testing.assert_allclose(mono(np.stack([wave, 0 * wave], axis=1)), wave / 2)


def test_long_waveforms_lose_their_ends_and_short_ones_gain_silence():
    step = fit_audio("a", np.full(20, 0.01), rate=1000)
    assert step.settings["samples"] == 10
    waves = objects(np.arange(1.0, 31.0), np.ones(4))
    batch = apply_audio(step, {"a": waves})["audio"]
    np.testing.assert_allclose(batch[0], np.arange(11.0, 21.0) / 20, rtol=1e-6)
    assert batch[1].tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]


def test_loudness_does_not_matter_and_silence_stays_silent():
    step = fit_audio("a", np.full(3, 0.5), rate=8000)
    loud, quiet = tone(8000), tone(8000) * 0.01
    batch = apply_audio(step, {"a": objects(loud, quiet, np.zeros(4000))})["audio"]
    np.testing.assert_allclose(batch[0], batch[1], atol=1e-6)
    assert np.abs(batch[0]).max() == pytest.approx(1)
    assert not batch[2].any()


def test_the_rate_of_each_recording_counts():
    step = fit_audio("a", np.full(3, 0.5), rate=8000)
    waves = {"a": objects(tone(8000), tone(16000)), rate_key("a"): np.array([8000, 16000])}
    batch = apply_audio(step, waves)["audio"]
    np.testing.assert_allclose(batch[0, 200:-200], batch[1, 200:-200], atol=2e-3)


def test_what_is_no_waveform_is_refused():
    with pytest.raises(DataError, match="waveform"):
        mono(np.zeros((2, 2, 2)))
    with pytest.raises(DataError, match="rate 0"):
        resample(np.zeros(4, np.float32), 0, 8000)
