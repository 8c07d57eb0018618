"""Single methods against their definitions."""

import dataclasses
from collections import Counter, defaultdict

import numpy as np
import pytest

from pomona.fit.baselines.constant import fit_constant
from pomona.fit.baselines.forecasts import fit_linear_forecast, fit_seasonal_naive, has_past
from pomona.fit.baselines.ngrams import fit_bigrams, fit_fourgrams
from pomona.fit.baselines.pixels import fit_pixel_trees, has_aligned_image
from pomona.fit.baselines.regressors import fit_regressing_trees, fit_ridge
from pomona.fit.baselines.steps import fit_step_majority, fit_step_regression, has_aligned_tokens
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.source import ArraySource
from pomona.tasks.task import Task

TAGS = ("a", "b", "c")


def _task(kind, inputs, target, batch):
    splits = dict.fromkeys(("train", "valid", "test"), ArraySource(batch))
    inputs = {feature.name: feature for feature in inputs}
    return Task("made", kind, inputs, {"y": target}, splits, ("nll",), Preprocessing(()), "")


def _sentences(num_examples=30, time=9, num_tokens=6, seed=0):
    generator = np.random.default_rng(seed)
    text = generator.integers(1, num_tokens, (num_examples, time + 1))
    text[:, 2::3] = text[:, 1::3] % (num_tokens - 1) + 1
    batch = {"x": text[:, :-1], "y": text[:, 1:].copy()}
    batch["y"][:, -1][::2] = 0
    inputs = [Feature("x", "tokens", (time,), num_tokens=num_tokens)]
    target = Feature("y", "tokens", (time,), num_tokens=num_tokens)
    return _task("language", inputs, target, batch), batch


def _witten_bell(batch, num_before, num_tokens):
    """P(token | context) by the recursion of the definition, with plain dictionaries."""
    followed = defaultdict(Counter)
    for row, wanted in zip(batch["x"], batch["y"], strict=True):
        for step, token in enumerate(wanted):
            for length in range(num_before + 1):
                past = [0] * num_before + list(row[: step + 1])
                if token:
                    followed[tuple(past[len(past) - length :])][token] += 1

    def probability(token, context):
        shorter = probability(token, context[1:]) if context else 1 / num_tokens
        counts = followed[context]
        total, kinds = sum(counts.values()), len(counts)
        return (counts[token] + kinds * shorter) / (total + kinds) if total else shorter

    return probability


@pytest.mark.parametrize(("fit", "num_before"), [(fit_bigrams, 1), (fit_fourgrams, 3)])
def test_counts_of_tokens_are_those_of_witten_and_bell(fit, num_before):
    task, train = _sentences()
    _, batch = _sentences(num_examples=5, seed=1)
    said = fit(task, "y", train, 0)(batch)
    probability = _witten_bell(train, num_before, 6)
    for example, row in enumerate(batch["x"]):
        for step in range(len(row)):
            past = [0] * num_before + [int(token) for token in row[: step + 1]]
            expected = [probability(token, tuple(past[-num_before:])) for token in range(6)]
            np.testing.assert_allclose(said[example, step], expected, atol=1e-6)
    np.testing.assert_allclose(said.sum(axis=-1), 1, atol=1e-5)


def test_a_step_never_sees_later_tokens():
    task, train = _sentences()
    changed = {**train, "x": train["x"].copy()}
    changed["x"][:, 5:] = 1
    predict = fit_fourgrams(task, "y", train, 0)
    np.testing.assert_array_equal(predict(train)[:, :5], predict(changed)[:, :5])


def _tagged(num_examples=80, seed=0):
    """The tag is that of the token before, except at the first step."""
    generator = np.random.default_rng(seed)
    tokens = generator.integers(1, 7, (num_examples, 6))
    before = np.concatenate([np.ones((num_examples, 1), int), tokens[:, :-1]], axis=1)
    mask = np.arange(6) < generator.integers(2, 7, num_examples)[:, None]
    batch = {"x": np.where(mask, tokens, 0), "x.mask": mask, "y": before % 3, "y.mask": mask}
    inputs = [Feature("x", "tokens", (6,), num_tokens=7, variable=True)]
    return _task(
        "sequence", inputs, Feature("y", "category", (6,), classes=TAGS, variable=True), batch
    ), batch


def test_the_usual_tag_of_a_token_is_its_share_in_training():
    task, train = _tagged()
    said = fit_step_majority(task, "y", train, 0)(train)
    real = train["y.mask"]
    usual = (np.bincount(train["y"][real], minlength=3) + 1) / (real.sum() + 3)
    for token in range(1, 7):
        here = real & (train["x"] == token)
        counts = np.bincount(train["y"][here], minlength=3)
        np.testing.assert_allclose(said[here][0], (counts + usual) / (counts.sum() + 1), rtol=1e-5)


def test_the_regression_of_steps_sees_its_neighbours():
    task, train = _tagged()
    _, test = _tagged(seed=1)
    real = test["y.mask"]
    seen = fit_step_regression(task, "y", train, 0)(test).argmax(axis=-1) == test["y"]
    alone = fit_step_majority(task, "y", train, 0)(test).argmax(axis=-1) == test["y"]
    assert seen[real].mean() > 0.99 > 0.7 > alone[real].mean()
    shorter = dataclasses.replace(task, inputs={"x": Feature("x", "tokens", (4,), num_tokens=7)})
    assert not has_aligned_tokens(shorter)


def _waves(num_examples=20, time=24, horizon=8, seed=0):
    """Series of season 6 with levels of their own."""
    generator = np.random.default_rng(seed)
    season, level = (
        generator.normal(size=(num_examples, 6, 2)),
        generator.normal(size=(num_examples, 1, 2)) * 9,
    )
    whole = season[:, np.arange(time + horizon) % 6] + level
    batch = {"x": whole[:, :time].astype(np.float32), "y": whole[:, time:].astype(np.float32)}
    inputs = [Feature("x", "series", (time, 2))]
    return _task("forecast", inputs, Feature("y", "series", (horizon, 2)), batch), batch


def test_seasonal_series_go_on_exactly():
    task, train = _waves()
    _, test = _waves(seed=1)
    assert has_past(task)
    for fit in (fit_seasonal_naive, fit_linear_forecast):
        np.testing.assert_allclose(fit(task, "y", train, 0)(test), test["y"], atol=2e-2)
    np.testing.assert_array_equal(fit_seasonal_naive(task, "y", train, 0)(test)[:, 0], test["x"][:, -6])


def test_a_padded_past_is_forecast_like_the_same_one_without_padding():
    task, train = _waves()
    padded = {
        "x": np.concatenate([train["x"][:, 6:], np.zeros((20, 6, 2), np.float32)], axis=1),
        "x.mask": np.broadcast_to(np.arange(24) < 18, (20, 24)),
    }
    said = fit_seasonal_naive(task, "y", train, 0)(padded)
    np.testing.assert_array_equal(said, fit_seasonal_naive(task, "y", train, 0)(train))


def test_without_an_input_that_the_target_goes_on_there_is_no_past():
    task, _ = _waves()
    other = dataclasses.replace(task, inputs={"x": Feature("x", "series", (24, 5))})
    assert not has_past(other)


def test_pixels_are_told_by_what_is_around_them():
    generator = np.random.default_rng(0)
    image = generator.normal(size=(12, 1, 10, 8)).astype(np.float32)
    # the pixel to the left decides, so that the pixel alone says nothing
    wanted = (np.roll(image[:, 0], 1, axis=2) > 0).astype(np.int64)
    task = _task(
        "segment",
        [Feature("x", "image", (1, 10, 8))],
        Feature("y", "mask", (10, 8), classes=("out", "in", "never")),
        {"x": image, "y": wanted},
    )
    assert has_aligned_image(task)
    said = fit_pixel_trees(task, "y", {"x": image[:9], "y": wanted[:9]}, 0)({"x": image[9:]})
    assert said.shape == (3, 3, 10, 8)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)
    assert (said.argmax(axis=1) == wanted[9:])[:, :, 1:].mean() > 0.95
    coarse = dataclasses.replace(task, targets={"y": Feature("y", "mask", (5, 4), classes=("out", "in"))})
    assert not has_aligned_image(coarse)


@pytest.mark.parametrize("fit", [fit_ridge, fit_regressing_trees])
def test_regressors_keep_the_shape_of_keypoints(fit):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(300, 4)).astype(np.float32)
    points = (x @ generator.normal(size=(4, 6))).reshape(300, 3, 2).astype(np.float32)
    target = Feature("y", "keypoints", (3, 2))
    task = _task("regress", [Feature("x", "vector", (4,))], target, {"x": x, "y": points})
    said = fit(task, "y", {"x": x, "y": points}, 0)({"x": x})
    assert said.shape == points.shape
    assert np.abs(said - points).mean() < 0.3 * np.abs(points).mean()


def test_the_constant_is_frequencies_and_means_with_weights():
    weight = np.array([1.0, 1.0, 2.0], np.float32)
    category = Feature("y", "category", (), classes=TAGS)
    batch = {"x": np.zeros((3, 1), np.float32), "y": np.array([0, 0, 1]), "weight": weight}
    vector = [Feature("x", "vector", (1,))]
    said = fit_constant(_task("classify", vector, category, batch), "y", batch, 0)({"x": np.zeros((2, 1))})
    np.testing.assert_allclose(said, [[3 / 7, 3 / 7, 1 / 7]] * 2, rtol=1e-6)
    numbers = {**batch, "y": np.array([1.0, 2.0, 6.0], np.float32)}
    task = _task("regress", vector, Feature("y", "number", ()), numbers)
    assert fit_constant(task, "y", numbers, 0)({"x": np.zeros((1, 1))}).tolist() == [3.75]
    labels = {**batch, "y": np.eye(3, dtype=np.float32)}
    task = _task("multilabel", vector, Feature("y", "labels", (3,), classes=TAGS), labels)
    np.testing.assert_allclose(
        fit_constant(task, "y", labels, 0)({"x": np.zeros((1, 1))}), [[2 / 6, 2 / 6, 3 / 6]], rtol=1e-6
    )
