import json

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pomona.tasks import Preprocessing, load_task
from pomona.tasks.batch import check_batch
from pomona.tasks.builtin import TASKS
from pomona.tasks.metrics import METRICS
from pomona.tasks.readers.read_input import read_input
from pomona.tasks.splits import content_keys
from pomona.tasks.task import TARGET_KINDS

FETCHED = {
    "mnist": "mnist",
    "fashion-mnist": "fashion-mnist",
    "cifar10": "cifar10",
    "letters": "letters",
    "spoken-digits": "fsdd",
    "clinc150": "clinc150",
    "instrument-notes": "sound-font",
    "text-needle": "novels",
    "long-text": "novels",
    "chapters": "novels",
    "cifar10-pixels": "cifar10",
}
LOCAL = [name for name in TASKS if name not in FETCHED and name != "sound-tasks"]
SIZES = {
    "mnist": (60_000, 10_000),
    "fashion-mnist": (60_000, 10_000),
    "cifar10": (50_000, 10_000),
    "letters": (16_000, 4_000),
    "spoken-digits": (2_500, 500),
    "clinc150": (18_200, 4_500),
    "instrument-notes": (2_500, 500),
    "text-needle": (1_200, 200),
    "long-text": (1_191, 149),
    "chapters": (2_510, 425),
    "cifar10-pixels": (50_000, 10_000),
}


def whole(task, split):
    return task.splits[split].read(np.arange(task.splits[split].size))


def check(task):
    features = {**task.inputs, **task.targets}
    for source in task.splits.values():
        check_batch(source.read(np.arange(min(source.size, 200))), features)
    for feature in task.targets.values():
        assert feature.kind in TARGET_KINDS[task.kind]
    assert task.metrics
    assert set(task.metrics) <= set(METRICS)
    assert task.about
    assert task.licence
    plain = json.loads(json.dumps(task.preprocessing.to_json()))
    assert Preprocessing.from_json(plain) == task.preprocessing


@pytest.mark.parametrize("name", LOCAL)
def test_a_local_task_is_whole_and_the_same_for_the_same_seed(name):
    task, again, other = load_task(name), load_task(name), load_task(name, seed=1)
    check(task)
    assert task.fingerprint == again.fingerprint != other.fingerprint
    for split in ("train", "test"):
        first, second = whole(task, split), whole(again, split)
        for key, values in first.items():
            np.testing.assert_array_equal(second[key], values)


@pytest.mark.parametrize("name", LOCAL)
def test_no_example_of_a_local_task_is_in_two_splits(name):
    task = load_task(name)
    if name == "two-digits":
        pytest.skip("few hundred images make thousands of pairs; images, not pairs, are split")
    keys = {
        split: set(content_keys({n: whole(task, split)[n] for n in task.inputs})) for split in task.splits
    }
    overlap = keys["train"] & (keys["valid"] | keys["test"])
    # sentences are drawn independently, so short ones come again
    assert len(overlap) <= (0.05 * len(keys["train"]) if name == "tagged-words" else 0)


def test_all_seven_kinds_and_several_inputs_and_targets_are_built_in():
    tasks = [load_task(name) for name in LOCAL]
    assert {task.kind for task in tasks} == set(TARGET_KINDS)
    assert max(len(task.inputs) for task in tasks) > 1
    assert max(len(task.targets) for task in tasks) > 2


@pytest.mark.parametrize("name", FETCHED)
def test_a_fetched_task_is_whole(name, assets):
    assets(FETCHED[name])
    task = load_task(name)
    check(task)
    sizes = {split: source.size for split, source in task.splits.items()}
    assert (sizes["train"] + sizes["valid"], sizes["test"]) == SIZES[name]
    counts = np.bincount(whole(task, "train")[next(iter(task.targets))].ravel())
    assert counts.min() > 0


def test_raw_digits_of_scikit_learn_are_prepared_as_in_the_task():
    task, digits = load_task("digits"), load_digits()
    raw = read_input(digits.images, task.preprocessing, task.inputs)
    prepared = task.preprocessing.apply(raw.read(np.arange(raw.size)))["image"]
    keys = set(content_keys({"image": prepared}))
    for split in task.splits:
        assert set(content_keys({"image": whole(task, split)["image"]})) <= keys
    assert sum(source.size for source in task.splits.values()) == len(digits.images)


def test_preprocessing_is_fitted_on_training_alone():
    for name in ("digits", "breast-cancer"):
        train = whole(load_task(name), "train")
        values = train[next(iter(load_task(name).inputs))]
        np.testing.assert_allclose(values.mean(), 0, atol=1e-3)
        np.testing.assert_allclose(values.std(), 1, atol=1e-2)


def test_speakers_of_spoken_digits_are_in_one_split(assets):
    assets("fsdd")
    task = load_task("spoken-digits")
    groups = {split: set(whole(task, split)["group"].tolist()) for split in task.splits}
    assert [len(groups[split]) for split in ("train", "valid", "test")] == [4, 1, 1]
    assert len(set.union(*groups.values())) == 6
    assert set(whole(load_task("spoken-digits", seed=1), "test")["group"].tolist()) != groups["test"]


def test_queries_out_of_scope_are_a_stress_split(assets):
    assets("clinc150")
    task = load_task("clinc150")
    classes = task.targets["intent"].classes
    assert len(classes) == 151
    assert task.splits["oos"].size == 1000
    assert set(whole(task, "oos")["intent"].tolist()) == {classes.index("oos")}
    assert classes.index("oos") not in set(whole(task, "test")["intent"].tolist())
