"""Every metric against scikit-learn on random data, with and without weights."""

import numpy as np
import pytest
import sklearn.metrics as oracle

from pomona.tasks.metrics import METRICS

CLASSES, EXAMPLES = 7, 300


def _value(name, prediction, target, weight=None, mask=None):
    metric = METRICS[name]
    return metric.value(metric.rows(prediction, target, weight, mask))


def _probabilities(generator, *shape):
    head = generator.normal(size=shape) * 2
    # rounding makes ties, which ranks and bins have to share
    powers = np.exp(head.round(1))
    return powers / powers.sum(axis=-1, keepdims=True)


def _case(weighted, num_classes=CLASSES):
    generator = np.random.default_rng(3)
    prediction = _probabilities(generator, EXAMPLES, num_classes)
    target = np.array([generator.choice(num_classes, p=p) for p in prediction])
    weight = generator.integers(0, 4, EXAMPLES).astype(np.float32) if weighted else None
    return prediction, target, weight


WEIGHTED = pytest.mark.parametrize("weighted", [False, True])


@WEIGHTED
def test_classification_metrics_are_those_of_scikit_learn(weighted):
    prediction, target, weight = _case(weighted)
    best, onehot = prediction.argmax(axis=1), np.eye(CLASSES)[target]
    expected = {
        "accuracy": oracle.accuracy_score(target, best, sample_weight=weight),
        "balanced_accuracy": oracle.balanced_accuracy_score(target, best, sample_weight=weight),
        "macro_f1": oracle.f1_score(target, best, average="macro", sample_weight=weight),
        "nll": oracle.log_loss(target, prediction, sample_weight=weight),
        "brier": np.average(((prediction - onehot) ** 2).sum(axis=1), weights=weight),
        "auroc": oracle.roc_auc_score(onehot, prediction, average="macro", sample_weight=weight),
        "average_precision": oracle.average_precision_score(
            onehot, prediction, average="macro", sample_weight=weight
        ),
    }
    for name, value in expected.items():
        assert _value(name, prediction, target, weight) == pytest.approx(value, abs=1e-9), name


@WEIGHTED
def test_two_classes_are_ranked_by_the_probability_of_the_second(weighted):
    prediction, target, weight = _case(weighted, num_classes=2)
    assert _value("auroc", prediction, target, weight) == pytest.approx(
        oracle.roc_auc_score(target, prediction[:, 1], sample_weight=weight)
    )
    assert _value("average_precision", prediction, target, weight) == pytest.approx(
        oracle.average_precision_score(target, prediction[:, 1], sample_weight=weight)
    )


def test_top5_accuracy_without_ties_is_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    prediction, target = generator.dirichlet(np.ones(9), 200), generator.integers(0, 9, 200)
    expected = oracle.top_k_accuracy_score(target, prediction, k=5)
    assert _value("top5_accuracy", prediction, target) == pytest.approx(expected)


@WEIGHTED
def test_multilabel_metrics_are_those_of_scikit_learn(weighted):
    generator = np.random.default_rng(1)
    prediction = generator.uniform(size=(EXAMPLES, 5)).round(2)
    target = (generator.uniform(size=prediction.shape) < prediction).astype(np.float32)
    weight = generator.uniform(size=EXAMPLES) if weighted else None
    options, chosen = {"sample_weight": weight}, prediction >= 0.5
    clipped = np.clip(prediction, 1e-12, 1 - 1e-12)
    cost = -(target * np.log(clipped) + (1 - target) * np.log(1 - clipped)).mean(axis=1)
    expected = {
        "macro_f1": oracle.f1_score(target, chosen, average="macro", **options),
        "micro_f1": oracle.f1_score(target, chosen, average="micro", **options),
        "hamming": oracle.hamming_loss(target, chosen, **options),
        "exact_match": oracle.accuracy_score(target, chosen, **options),
        "auroc": oracle.roc_auc_score(target, prediction, **options),
        "average_precision": oracle.average_precision_score(target, prediction, **options),
        "nll": np.average(cost, weights=weight),
    }
    for name, value in expected.items():
        assert _value(name, prediction, target, weight) == pytest.approx(value, abs=1e-6), name


@WEIGHTED
@pytest.mark.parametrize("shape", [(), (3,)])
def test_regression_metrics_are_those_of_scikit_learn(shape, weighted):
    generator = np.random.default_rng(2)
    target = generator.normal(size=(101, *shape)).astype(np.float32) + 1000
    prediction = target + generator.normal(size=target.shape)
    weight = generator.integers(0, 3, 101).astype(np.float32) if weighted else None
    options = {"sample_weight": weight}
    expected = {
        "rmse": oracle.mean_squared_error(target, prediction, **options) ** 0.5,
        "mae": oracle.mean_absolute_error(target, prediction, **options),
        "r2": oracle.r2_score(target.astype(float), prediction, **options),
        "median_absolute_error": oracle.median_absolute_error(target.astype(float), prediction, **options),
    }
    for name, value in expected.items():
        assert _value(name, prediction, target, weight) == pytest.approx(value, rel=1e-9), name


@WEIGHTED
def test_segmentation_metrics_are_those_of_scikit_learn(weighted):
    generator = np.random.default_rng(4)
    prediction = _probabilities(generator, 6, 5, 4, 3)
    prediction = np.moveaxis(prediction, -1, 1)
    target = generator.integers(0, 3, (6, 5, 4))
    weight = generator.uniform(size=6) if weighted else None
    pixels = {"sample_weight": None if weight is None else np.repeat(weight, 20)}
    best = prediction.argmax(axis=1)
    images = [
        oracle.f1_score(t.ravel(), b.ravel(), average="macro") for t, b in zip(target, best, strict=True)
    ]
    assert _value("accuracy", prediction, target, weight) == pytest.approx(
        oracle.accuracy_score(target.ravel(), best.ravel(), **pixels)
    )
    assert _value("mean_iou", prediction, target, weight) == pytest.approx(
        oracle.jaccard_score(target.ravel(), best.ravel(), average="macro", **pixels)
    )
    assert _value("dice", prediction, target, weight) == pytest.approx(np.average(images, weights=weight))


@WEIGHTED
def test_sequence_metrics_are_those_of_scikit_learn_on_the_real_steps(weighted):
    generator = np.random.default_rng(5)
    prediction, target = _probabilities(generator, 40, 6, 3), generator.integers(0, 3, (40, 6))
    mask = np.arange(6) < generator.integers(1, 7, 40)[:, None]
    weight = generator.uniform(size=40) if weighted else None
    steps = {"sample_weight": None if weight is None else np.repeat(weight, 6)[mask.ravel()]}
    best = prediction.argmax(axis=2)
    expected = {
        "accuracy": oracle.accuracy_score(target[mask], best[mask], **steps),
        "macro_f1": oracle.f1_score(target[mask], best[mask], average="macro", **steps),
        "nll": oracle.log_loss(target[mask], prediction[mask], **steps),
        "exact_match": np.average(((best == target) | ~mask).all(axis=1), weights=weight),
    }
    for name, value in expected.items():
        assert _value(name, prediction, target, weight, mask) == pytest.approx(value), name


def test_forecast_metrics_are_their_formulas_series_by_series():
    generator = np.random.default_rng(6)
    target, past = generator.normal(size=(8, 5, 2)) + 3, generator.normal(size=(8, 12, 2))
    prediction = target + generator.normal(size=target.shape)
    metric, ratios, shares = METRICS["mase"], [], []
    for series in range(8):
        for feature in range(2):
            wrong = np.abs(prediction[series, :, feature] - target[series, :, feature])
            ratios.append(wrong.mean() / np.abs(np.diff(past[series, :, feature])).mean())
            size = np.abs(prediction[series, :, feature]) + np.abs(target[series, :, feature])
            shares.extend(200 * wrong / size)
    assert metric.value(metric.rows(prediction, target, past=past)) == pytest.approx(np.mean(ratios))
    assert _value("smape", prediction, target) == pytest.approx(np.mean(shares))
    wape = 100 * np.abs(prediction - target).sum() / np.abs(target).sum()
    assert _value("wape", prediction, target) == pytest.approx(wape)


def test_padding_of_a_forecast_and_of_its_past_adds_nothing():
    generator = np.random.default_rng(7)
    target, past = generator.normal(size=(4, 3, 1)), generator.normal(size=(4, 6, 1))
    prediction, metric = target + 0.5, METRICS["mase"]
    expected = metric.value(metric.rows(prediction, target, past=past))
    wide = [np.concatenate([array, np.full((4, 2, 1), 99.0)], axis=1) for array in (prediction * 2, target)]
    wide[0][:, :3] = prediction
    mask, past_mask = np.arange(5)[None] < np.full((4, 1), 3), np.arange(8)[None] < np.full((4, 1), 6)
    wide_past = np.concatenate([past, np.zeros((4, 2, 1))], axis=1)
    rows = metric.rows(*wide, None, mask, past=wide_past, past_mask=past_mask)
    assert metric.value(rows) == pytest.approx(expected)
