import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.splits import RATIOS, content_keys, mix, split_by_hash


def table(num_rows, seed=0):
    generator = stream(seed, "table")
    return {
        "x": generator.normal(size=num_rows),
        "name": generator.choice(["a", "b", "c"], num_rows).astype(object),
        "image": generator.integers(0, 9, (num_rows, 12, 12)),
    }


def owners(columns, **settings):
    keys = content_keys(columns)
    parts = split_by_hash(keys, **settings)
    owner = np.full(len(keys), "", object)
    for name, ids in parts.items():
        owner[ids] = name
    return owner


def test_every_example_is_in_exactly_one_split_of_about_its_share():
    parts = split_by_hash(content_keys(table(5000)))
    np.testing.assert_array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(5000))
    for name, share in RATIOS.items():
        # five standard deviations of a binomial share
        assert len(parts[name]) == pytest.approx(5000 * share, abs=5 * np.sqrt(5000 * share * (1 - share)))


def test_adding_rows_moves_no_other_row():
    rows = table(1200)
    before = owners({name: values[:1000] for name, values in rows.items()})
    np.testing.assert_array_equal(owners(rows)[:1000], before)
    shuffled = stream(1, "order").permutation(1200)
    np.testing.assert_array_equal(
        owners({name: values[shuffled] for name, values in rows.items()}), owners(rows)[shuffled]
    )


def test_equal_examples_share_a_split_and_seeds_differ():
    rows = table(300)
    twice = {name: np.concatenate([values, values]) for name, values in rows.items()}
    np.testing.assert_array_equal(owners(twice)[:300], owners(twice)[300:])
    assert (owners(rows, seed=0) != owners(rows, seed=1)).any()


def test_keys_depend_on_values_and_names_not_on_types_or_order():
    rows = {"a": np.array([1, 2, 3]), "b": np.array(["x", None, "z"], object)}
    keys = content_keys(rows)
    np.testing.assert_array_equal(content_keys(dict(reversed(rows.items()))), keys)
    np.testing.assert_array_equal(content_keys(rows | {"a": np.array([1.0, 2.0, 3.0])}), keys)
    assert (content_keys({"c": rows["a"], "b": rows["b"]}) != keys).all()
    assert content_keys({"a": np.array([0.0, -0.0])})[0] == content_keys({"a": np.array([-0.0])})[0]
    wide = np.arange(400.0).reshape(2, 200)
    np.testing.assert_array_equal(content_keys({"a": wide}), content_keys({"a": wide.astype(np.int16)}))


def test_arrays_of_unlike_sizes_have_keys_too():
    images = np.empty(3, object)
    images[:] = [np.zeros((2, 3)), np.zeros((3, 2)), np.zeros((2, 3))]
    keys = content_keys({"image": images})
    assert keys[0] == keys[2] != keys[1]


@given(st.integers(3, 40), st.integers(0, 5))
def test_no_split_is_ever_left_with_less_than_half_its_share(num_rows, seed):
    keys = mix(np.arange(num_rows, dtype=np.uint64))
    for name, ids in split_by_hash(keys, seed=seed).items():
        assert len(ids) >= (RATIOS[name] * num_rows / 2 if num_rows >= 6 else 1)


def test_too_few_different_examples_are_refused():
    with pytest.raises(DataError, match="2 different examples or groups are too few"):
        split_by_hash(np.array([1, 2, 1, 2], np.uint64))


def test_other_ratios_give_other_splits():
    parts = split_by_hash(content_keys(table(1000)), ratios={"train": 0.8, "valid": 0.2})
    assert set(parts) == {"train", "valid"}
    assert len(parts["valid"]) == pytest.approx(200, abs=65)
