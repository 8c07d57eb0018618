"""An assessment is what the metrics say, however large the batches; sections are made of it."""

import io
import wave

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix as reference_confusion

from pomona.fit import assessment
from pomona.fit.assessment import assess
from pomona.fit.card import model_card
from pomona.fit.sections import scores_section, worst_section, write_model_sections
from pomona.fit.sections.classes import classes_section, confusion_matrix
from pomona.fit.sections.pictures import png_of
from pomona.fit.sections.worst import wav_of
from pomona.foundation.report import write_report
from pomona.tasks import load_task
from pomona.tasks.source import batches


@pytest.fixture(scope="module")
def digits():
    return load_task("digits")


@pytest.fixture(scope="module")
def predict(digits):
    """A logistic regression that answers as a predictor does."""
    train = next(batches(digits.splits["train"], 10_000))
    model = LogisticRegression(max_iter=200).fit(
        train["image"].reshape(len(train["image"]), -1), train["digit"]
    )
    return lambda batch: {"digit": model.predict_proba(batch["image"].reshape(len(batch["image"]), -1))}


def test_batches_of_any_size_give_the_same_assessment(digits, predict, monkeypatch):
    whole = assess(predict, digits, "test")
    monkeypatch.setattr(assessment, "BATCH_SIZE", 7)
    parts = assess(predict, digits, "test")
    assert parts.values == pytest.approx(whole.values, rel=1e-4)
    np.testing.assert_allclose(parts.predictions["digit"], whole.predictions["digit"], atol=1e-5)
    assert set(whole.truth) == {"digit"}


def test_accuracy_losses_and_interval_are_those_of_the_definition(digits, predict):
    found = assess(predict, digits, "test")
    said, true = found.predictions["digit"], found.truth["digit"]
    accuracy = (said.argmax(1) == true).mean()
    assert found.values["accuracy"] == pytest.approx(accuracy)
    np.testing.assert_allclose(found.losses("digit"), -np.log(said[np.arange(len(true)), true]), rtol=1e-6)
    interval = found.interval("accuracy")
    assert interval.low < accuracy < interval.high
    assert found.interval("no such metric") is None


def test_a_perfect_score_is_not_certain(digits):
    found = assess(lambda batch: {"digit": np.eye(10, dtype=np.float32)[batch["digit"]]}, digits, "test")
    interval = found.interval("accuracy")
    assert found.values["accuracy"] == 1
    assert interval.low == pytest.approx(1 / (1 + 1.96**2 / len(found.truth["digit"])), abs=1e-5)
    assert interval.high == 1


def test_confusions_equal_scikit_learn_s(digits, predict):
    found = assess(predict, digits, "test")
    said, true = found.predictions["digit"].argmax(1), found.truth["digit"]
    np.testing.assert_array_equal(confusion_matrix(said, true, 10), reference_confusion(true, said))


def test_many_classes_are_listed_instead_of_drawn():
    probabilities = np.eye(60)[np.r_[0:59, 0]]
    kinds = [
        item["kind"] for item in classes_section(probabilities, np.arange(60), tuple(map(str, range(60))))
    ]
    assert kinds == ["table", "table"]


def test_the_worst_example_comes_first_and_is_shown(digits, predict):
    found = assess(predict, digits, "test")
    (item,) = worst_section(found)
    assert item["kind"] == "images"
    losses = found.losses("digit")
    assert item["images"][0]["detail"] == f"loss {losses.max():.3g}"
    worst = int(losses.argmax())
    true = digits.targets["digit"].classes[found.truth["digit"][worst]]
    assert item["images"][0]["caption"].startswith(f"{true} taken for")


@pytest.mark.parametrize(
    "name", ["digits", "diabetes", "digit-properties", "shapes", "tagged-words", "seasonal-series"]
)
def test_every_kind_has_sections_that_make_a_report(name, tmp_path):
    task = load_task(name)
    test = next(batches(task.splits["test"], 10_000))
    right = {}
    for target, feature in task.targets.items():
        true = test[target]
        axis = 1 if task.kind == "segment" else -1
        is_class = feature.kind in ("category", "mask")
        right[target] = np.moveaxis(np.eye(len(feature.classes))[true], -1, axis) if is_class else true

    done = 0

    def oracle(batch):
        nonlocal done
        size = len(next(iter(batch.values())))
        said = {target: values[done : done + size] for target, values in right.items()}
        done += size
        return said

    found = assess(oracle, task, "test")
    write_model_sections(tmp_path, found, {})
    page = write_report(tmp_path).read_text()
    assert "Worst examples" in page
    card = model_card(task, "an oracle", found.values, command="pomona fit")
    assert all(feature in card for feature in (*task.inputs, *task.targets))


def test_the_reported_model_is_stressed_and_its_metric_comes_first():
    models = [("mine", {"nll": 0.2, "accuracy": 0.9}, {"nll": 0.3, "accuracy": 0.8}), ("other", {}, {})]
    figures, board = scores_section(
        models, metric="accuracy", facts={"parameters": (5, ""), "latency": (None, "ms")}
    )
    assert [figure["name"] for figure in figures["values"]] == [
        "accuracy on test",
        "accuracy on validation",
        "parameters",
    ]
    assert [column["name"] for column in board["columns"]][:3] == [
        "model",
        "accuracy, valid",
        "accuracy, test",
    ]
    assert board["highlight"] == 0
    assert board["rows"][1][1:] == [None] * 4


def test_pictures_and_sounds_can_be_opened_by_others():
    from PIL import Image

    picture = Image.open(io.BytesIO(png_of(np.linspace(0, 1, 64, dtype=np.float32).reshape(1, 8, 8))))
    assert (picture.size, picture.mode) == ((96, 96), "L")
    assert np.asarray(picture).max() == 255
    with wave.open(io.BytesIO(wav_of(np.array([0.0, 1.0, -2.0], np.float32), 8000))) as sound:
        assert sound.getparams()[:4] == (1, 2, 8000, 3)
        assert np.frombuffer(sound.readframes(3), np.int16).tolist() == [0, 32767, -32767]
