"""Every kind of task has a baseline that beats the constant, where there is something to learn."""

import dataclasses

import numpy as np
import pytest
from sklearn.svm import SVC

from pomona.fit.baselines import BASELINES, baseline
from pomona.foundation.files import to_json
from pomona.foundation.randomness import stream
from pomona.tasks.builtin import (
    diabetes,
    digit_properties,
    digits,
    iris,
    linnerud,
    seasonal_series,
    shapes,
    small_grammar,
    tagged_words,
)
from pomona.tasks.feature import Feature
from pomona.tasks.metrics import METRICS
from pomona.tasks.metrics.measure import primary_metric
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.source import ArraySource, DrawnSource
from pomona.tasks.task import Task

SMALL = {
    "classify": lambda: iris.make(),
    "multilabel": lambda: digit_properties.make(),
    "regress": lambda: diabetes.make(),
    "segment": lambda: shapes.make(num_train=30, size=16),
    "sequence": lambda: tagged_words.make(num_train=150),
    "language": lambda: small_grammar.make(num_train=100),
    "forecast": lambda: seasonal_series.make(num_series=4, length=240),
}


@pytest.mark.parametrize("kind", SMALL)
def test_every_kind_has_a_baseline_that_beats_the_constant(kind):
    task = SMALL[kind]()
    found = baseline(task, max_examples=300)
    assert task.kind == kind
    assert found.trivial is not None
    assert (found.trivial.name, found.name in BASELINES) == ("constant", True)
    metric = primary_metric(task)
    for split in ("valid", "test"):
        best, worst = getattr(found, split)[metric.name], getattr(found.trivial, split)[metric.name]
        assert best > worst if metric.greater_is_better else best < worst
    assert to_json(found.to_json())


def test_the_same_seed_gives_the_same_baseline():
    task = diabetes.make()
    first, second = baseline(task, seed=3, max_examples=100), baseline(task, seed=3, max_examples=100)
    assert (first.name, first.valid, first.test) == (second.name, second.valid, second.test)


def test_on_digits_it_is_the_support_vector_machine_of_scikit_learn():
    task = digits.make()
    found = baseline(task)
    train, test = (task.splits[split].read(np.arange(task.splits[split].size)) for split in ("train", "test"))
    machine = SVC(decision_function_shape="ovr", break_ties=True)
    machine.fit(train["image"].reshape(len(train["image"]), -1), train["digit"])
    right = machine.predict(test["image"].reshape(len(test["image"]), -1)) == test["digit"]
    assert found.name == "support vectors"
    assert found.test["accuracy"] == pytest.approx(right.mean(), abs=2 / len(right))
    assert found.test["accuracy"] >= 0.975
    assert found.test["nll"] < 0.2


def test_where_nothing_can_be_learned_the_constant_says_so():
    generator = np.random.default_rng(0)
    task = _made("regress", Feature("y", "number", ()), lambda x: generator.normal(size=len(x)))
    found = baseline(task)
    assert (found.name, found.trivial) == ("constant", None)
    assert found.test["r2"] < 0.05


def test_targets_of_other_units_are_each_learned():
    found = baseline(linnerud.make())
    assert {name.partition("/")[0] for name in found.test} == {"Weight", "Waist", "Pulse"}


def test_an_endless_source_is_drawn_from():
    def draw(generator, num_examples):
        x = generator.normal(size=(num_examples, 3)).astype(np.float32)
        return {"x": x, "y": (x[:, 0] > 0).astype(np.int64)}

    task = _made("classify", Feature("y", "category", (), classes=("no", "yes")), lambda x: x[:, 0] > 0)
    task = dataclasses.replace(task, splits=dict.fromkeys(("train", "valid", "test"), DrawnSource(draw)))
    assert baseline(task, max_examples=200).test["accuracy"] > 0.9


def test_examples_without_weight_teach_nothing():
    task = _made("classify", Feature("y", "category", (), classes=("no", "yes")), lambda x: x[:, 0] > 0)
    arrays = dict(task.splits["train"].arrays)
    wrong = {**arrays, "y": 1 - arrays["y"], "weight": np.zeros(len(arrays["y"]), np.float32)}
    right = {**arrays, "weight": np.ones(len(arrays["y"]), np.float32)}
    mixed = {name: np.concatenate([wrong[name], right[name]]) for name in right}
    weighted = dataclasses.replace(task, splits={**task.splits, "train": ArraySource(mixed)})
    assert baseline(weighted).test == pytest.approx(baseline(task).test, abs=0.05)


def test_a_class_that_no_training_example_has_is_possible_and_one_class_alone_is_no_error():
    classes = ("no", "yes", "never")
    task = _made("classify", Feature("y", "category", (), classes=classes), lambda x: x[:, 0] > 0)
    found = baseline(task)
    assert found.test["accuracy"] > 0.9
    assert np.isfinite(found.test["nll"])
    alone = _made("classify", Feature("y", "category", (), classes=classes), lambda x: np.zeros(len(x)))
    assert baseline(alone).test["accuracy"] == 1.0


def test_every_baseline_is_of_known_kinds_and_the_constant_of_all():
    kinds = {kind for metric in METRICS.values() for kind in metric.kinds}
    assert set(BASELINES["constant"].kinds) == kinds
    assert next(iter(BASELINES)) == "constant"
    for method in BASELINES.values():
        assert set(method.kinds) <= kinds
        assert method.appetite >= 1


def _made(kind, target, truth):
    """A task of three numbers in; `truth` maps them to the target."""
    splits = {}
    for split in ("train", "valid", "test"):
        x = stream(0, "made", split).normal(size=(200, 3)).astype(np.float32)
        splits[split] = ArraySource({"x": x, "y": truth(x).astype(target.dtype)})
    metrics = ("accuracy", "nll") if kind == "classify" else ("rmse", "r2")
    inputs = {"x": Feature("x", "vector", (3,))}
    return Task("made", kind, inputs, {"y": target}, splits, metrics, Preprocessing(()), "")
