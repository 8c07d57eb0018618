"""Every example once an epoch, any step without those before, and the same from memory, disk or a draw."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pomona.fit.draws import Draws, own_dropout
from pomona.fit.feeds import (
    DrawnFeed,
    MemoryFeed,
    Order,
    Place,
    StreamFeed,
    ahead,
    held_out,
    make_feed,
    to_tensors,
    valid_batches,
)
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import DataError
from pomona.tasks import load_task
from pomona.tasks.source import ArraySource, DrawnSource

DRAWS = Draws(3, "test")


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 60))
def test_the_order_goes_on_from_any_step_and_shows_each_example_equally_often(size, batch_size, first):
    batch_size = min(batch_size, size)
    order = Order(size, batch_size, DRAWS)
    whole = order.steps(0)
    ids = [next(whole) for _ in range(first + 12)]
    assert all(len(part) == batch_size for part in ids)
    resumed = order.steps(first)
    for wanted in ids[first:]:
        assert np.array_equal(next(resumed), wanted)
    counts = np.bincount(np.concatenate(ids), minlength=size)
    assert counts.max() - counts.min() <= 1


def test_the_order_hangs_on_seed_name_and_epoch():
    one = next(Order(50, 50, Draws(0, "a")).steps(0))
    for other in (Draws(1, "a"), Draws(0, "b")):
        assert not np.array_equal(one, next(Order(50, 50, other).steps(0)))
    assert not np.array_equal(one, next(Order(50, 50, Draws(0, "a")).steps(1)))


def taken(feed, first, count):
    batches = feed.batches(first)
    found = [next(batches) for _ in range(count)]
    batches.close()
    return found


def test_a_streamed_source_gives_the_batches_of_one_in_memory(tmp_path):
    task = load_task("digits")
    arrays = task.splits["train"].read(np.arange(300))
    np.save(tmp_path / "image.npy", arrays["image"])
    mapped = np.load(tmp_path / "image.npy", mmap_mode="r")
    task = replace(task, splits={**task.splits, "train": ArraySource({**arrays, "image": mapped})})
    settings = FitSettings(batch_size=64)
    memory = make_feed(task, "train", Place(), settings, DRAWS)
    assert isinstance(memory, MemoryFeed)
    stream = StreamFeed(task.splits["train"], memory.order, task, Place())
    for one, other in zip(taken(memory, 2, 9), taken(stream, 2, 9), strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_source_larger_than_the_memory_is_streamed():
    task = load_task("digits")
    rows = np.broadcast_to(np.zeros((1, 1, 8, 8), np.float32), (50_000, 1, 8, 8))
    many = {"image": rows, "digit": np.zeros(50_000, np.int64)}
    task = replace(task, splits={**task.splits, "train": ArraySource(many)})
    assert isinstance(make_feed(task, "train", Place(), FitSettings(memory_mb=1), DRAWS), StreamFeed)
    assert isinstance(make_feed(task, "train", Place(), FitSettings(memory_mb=100), DRAWS), MemoryFeed)


def test_an_endless_source_gives_each_step_its_own_draw():
    task = load_task("digits")

    def make(generator, size):
        return {
            "image": generator.normal(size=(size, 1, 8, 8)).astype(np.float32),
            "digit": generator.integers(0, 10, size),
        }

    task = replace(task, splits={**task.splits, "train": DrawnSource(make), "valid": DrawnSource(make)})
    feed = make_feed(task, "train", Place(), FitSettings(batch_size=5), DRAWS)
    assert isinstance(feed, DrawnFeed)
    whole = taken(feed, 0, 6)
    for wanted, found in zip(whole[4:], taken(feed, 4, 2), strict=True):
        assert torch.equal(wanted["image"], found["image"])
    assert not torch.equal(whole[0]["image"], whole[1]["image"])
    held = held_out(task.splits["valid"], name="valid", seed=0)
    assert held.size == 1000
    assert np.array_equal(
        held.read(np.arange(9))["digit"],
        held_out(task.splits["valid"], name="valid", seed=0).read(np.arange(9))["digit"],
    )


def test_validation_batches_are_the_split_in_order():
    task = load_task("digits")
    digits = task.splits["valid"].read(np.arange(task.splits["valid"].size))["digit"]
    for memory_mb in (1, 1024):
        read = valid_batches(task, Place(), FitSettings(memory_mb=memory_mb), seed=0)
        for _ in range(2):
            pairs = list(read())
            assert np.array_equal(np.concatenate([batch["digit"] for batch, _ in pairs]), digits)
            assert all(torch.equal(torch.from_numpy(b["image"]), t["image"]) for b, t in pairs)


def test_targets_are_scaled_and_ids_left_out():
    task = load_task("diabetes")
    batch = task.splits["train"].read(np.arange(7))
    batch["id"], batch["weight"] = np.arange(7), np.ones(7, np.float32)
    found = to_tensors(batch, task, Place(dtype=torch.float64))
    feature = task.targets["progression"]
    assert set(found) == {*task.inputs, "progression", "weight"}
    wanted = (batch["progression"].astype(np.float64) - feature.center) / feature.scale
    torch.testing.assert_close(found["progression"], torch.from_numpy(wanted))


def test_arrays_that_cannot_be_written_stay_as_they_are():
    task = load_task("iris")
    batch = task.splits["train"].read(np.arange(4))
    for array in batch.values():
        array.setflags(write=False)
    tensors = to_tensors(batch, task, Place())
    tensors["columns"].zero_()
    assert batch["columns"].any()


def test_an_empty_split_is_refused():
    task = load_task("iris")
    empty = ArraySource(task.splits["train"].read(np.arange(0)))
    with pytest.raises(DataError, match="train split of task 'iris' is empty"):
        make_feed(
            replace(task, splits={**task.splits, "train": empty}), "train", Place(), FitSettings(), DRAWS
        )


def test_an_error_in_the_background_is_raised_in_front():
    def broken():
        yield {"x": np.zeros(1)}
        raise OSError("the disk is gone")

    batches = ahead(broken(), lambda batch: batch)
    next(batches)
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)


def test_the_background_ends_with_the_iterator():
    def endless():
        while True:
            yield {"x": np.zeros(1)}

    batches = ahead(endless(), lambda batch: batch)
    next(batches)
    batches.close()
    deadline = time.monotonic() + 10
    while any(thread.name == "pomona-read-ahead" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_dropout_draws_from_the_fit_and_leaves_the_global_generator():
    before = torch.get_rng_state()
    drawn = []
    for draws in (DRAWS, DRAWS, Draws(4, "test")):
        with own_dropout(draws, "cpu"):
            drawn.append(torch.nn.functional.dropout(torch.ones(50)))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(torch.get_rng_state(), before)
