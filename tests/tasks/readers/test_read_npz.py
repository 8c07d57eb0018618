import numpy as np
import pytest
from sklearn.datasets import load_digits
from table_samples import whole

from pomona.foundation.errors import DataError, InputError
from pomona.foundation.randomness import stream
from pomona.tasks import load_task
from pomona.tasks.batch import check_batch

SIZE = 60


@pytest.fixture
def save(tmp_path):
    def save_arrays(**arrays):
        np.savez(tmp_path / "arrays.npz", **arrays)
        return tmp_path / "arrays.npz"

    return save_arrays


def check(task):
    for split in task.splits:
        check_batch(whole(task, split), {**task.inputs, **task.targets})
    return task


def drawn(*shape):
    return stream(0, "arrays", shape).normal(size=(SIZE, *shape))


def whole_numbers(limit, *shape):
    return stream(0, "whole", shape).integers(0, limit, (SIZE, *shape))


@pytest.mark.parametrize(
    ("x", "y", "kind", "input_kind"),
    [
        (drawn(5), whole_numbers(3), "classify", "vector"),
        (drawn(5), whole_numbers(3).astype(str), "classify", "vector"),
        (drawn(5), whole_numbers(2).astype(bool), "classify", "vector"),
        (drawn(), drawn(), "regress", "vector"),
        (drawn(5), drawn(), "regress", "vector"),
        (drawn(5), drawn(2), "regress", "vector"),
        (drawn(5), whole_numbers(2, 4), "multilabel", "vector"),
        (drawn(20, 3), whole_numbers(3), "classify", "series"),
        (drawn(20, 3), whole_numbers(4, 20), "sequence", "series"),
        (drawn(20, 3), drawn(6, 3), "forecast", "series"),
        (whole_numbers(200, 9, 12).astype(np.uint8), whole_numbers(3), "classify", "image"),
        (drawn(9, 9), whole_numbers(3), "classify", "image"),
        (drawn(9, 12, 3), whole_numbers(3), "classify", "image"),
        (drawn(3, 9, 12), whole_numbers(3), "classify", "image"),
        (drawn(9, 12), whole_numbers(3, 9, 12), "segment", "image"),
        (drawn(9, 12, 3), whole_numbers(3, 9, 12), "segment", "image"),
        (drawn(9, 9), drawn(5, 2), "regress", "image"),
        (np.array([f"word {i}" for i in range(SIZE)]), whole_numbers(2), "classify", "tokens"),
    ],
)
def test_kinds_are_told_from_types_and_shapes(save, x, y, kind, input_kind):
    task = check(load_task(save(x=x, y=y)))
    assert (task.kind, task.inputs["x"].kind) == (kind, input_kind)
    assert sum(source.size for source in task.splits.values()) == SIZE


@pytest.mark.parametrize(
    ("kind", "x", "y"),
    [
        ("language", whole_numbers(9, 12), whole_numbers(9, 12)),
        ("sequence", whole_numbers(9, 12), whole_numbers(3, 12)),
        ("sequence", drawn(12), whole_numbers(3, 12)),
        ("forecast", drawn(12, 1), drawn(4, 2)),
        ("regress", drawn(4), whole_numbers(3)),
    ],
)
def test_the_kind_can_be_chosen(save, kind, x, y):
    assert check(load_task(save(x=x, y=y), kind=kind)).kind == kind


def test_several_inputs_and_targets_by_name(save):
    path = save(photo=drawn(8, 8), past=drawn(20, 2), price=drawn(), size=drawn())
    task = check(load_task(path, target=("price", "size")))
    assert set(task.inputs) == {"photo", "past"}
    assert set(task.targets) == {"price", "size"}
    assert set(load_task(path, target="price", ignore=("size",)).inputs) == {"photo", "past"}


def test_published_splits_are_kept(save):
    digits = load_digits()
    x, y = digits.images.astype(np.uint8), digits.target
    task = check(load_task(save(x_train=x[:1000], y_train=y[:1000], x_test=x[1000:], y_test=y[1000:])))
    assert task.splits["test"].size == 797
    assert task.splits["train"].size + task.splits["valid"].size == 1000
    np.testing.assert_array_equal(whole(task, "test")["y"], y[1000:])
    path = save(x_train=x[:1000], y_train=y[:1000], names=np.array(["zero", "one"]))
    assert sum(source.size for source in load_task(path).splits.values()) == 1000


def test_given_files_are_the_splits(save, tmp_path):
    np.savez(tmp_path / "test.npz", x=drawn(5)[:7], y=np.array([0, 1, 2, 0, 1, 2, 9]))
    task = check(load_task(save(x=drawn(5), y=whole_numbers(3)), test=tmp_path / "test.npz"))
    assert task.splits["test"].size == 6
    assert any("class that training lacks" in note for note in task.notes)


def test_groups_and_weights_are_kept(save):
    path = save(x=drawn(5), y=whole_numbers(2), group=np.arange(SIZE) // 5, weight=np.arange(SIZE))
    task = check(load_task(path))
    assert set(task.inputs) == {"x"}
    groups = [set(whole(task, split)["group"]) for split in task.splits]
    assert sum(map(len, groups)) == len(set.union(*groups)) == SIZE // 5
    assert whole(task, "train")["weight"].dtype == np.float32


def test_missing_values_are_filled_in_inputs_and_dropped_in_targets(save):
    x, y = drawn(5), drawn()
    x[3, 2], y[4], y[5] = np.nan, np.nan, np.inf
    task = check(load_task(save(x=x, y=y)))
    assert sum(source.size for source in task.splits.values()) == SIZE - 2
    assert any("2 examples without a target" in note for note in task.notes)


@pytest.mark.parametrize(
    ("arrays", "options", "match"),
    [
        ({"x": drawn(5), "y": whole_numbers(3)[:-1]}, {}, "unequal lengths .x 60, y 59"),
        ({"x": drawn(5)}, {}, "wanted an array y, or --target"),
        ({"y": whole_numbers(3)}, {}, "wanted arrays to learn 'y' from"),
        ({"x": drawn(5), "y": whole_numbers(3)}, {"target": "z"}, "wanted the array 'z'"),
        ({"x": drawn(5), "y": np.zeros(SIZE, int)}, {}, "only one class"),
        ({"x": drawn(5), "y": np.full(SIZE, np.nan)}, {}, "missing or infinite in all"),
        ({"x": drawn(5)[:5], "y": whole_numbers(3)[:5]}, {}, "5 examples to learn from"),
        ({"x": drawn(2, 2, 2, 2), "y": whole_numbers(3)}, {}, "wanted vectors, series or images"),
        ({"x": drawn(5, 7, 9), "y": whole_numbers(3)}, {}, "an image is"),
        ({"x": drawn(5).astype(complex), "y": whole_numbers(3)}, {}, "of type complex128"),
        ({"x": drawn(5), "y": drawn(3)}, {"kind": "segment"}, "which segment cannot have"),
        ({"x": drawn(5), "weight": drawn()}, {"target": "weight"}, "no target can be named 'weight'"),
        ({"x": np.array([{}] * SIZE), "y": whole_numbers(3)}, {}, "Python objects, which are not loaded"),
        ({"x": drawn(5), "a": drawn(), "b": whole_numbers(2)}, {"target": ("a", "b")}, "unlike kinds"),
    ],
)
def test_arrays_that_make_no_task_are_refused(save, arrays, options, match):
    with pytest.raises(InputError, match=match) as raised:
        load_task(save(**arrays), **options)
    assert "\n" not in str(raised.value)


def test_a_cut_off_file_is_refused(save):
    path = save(x=drawn(5), y=whole_numbers(3))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="truncated"):
        load_task(path)
