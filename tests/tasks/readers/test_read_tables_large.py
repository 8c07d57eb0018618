"""Tables larger than memory: what is held at any time is bounded, and nothing else changes."""

import errno
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from table_samples import lines, whole

from pomona.foundation.errors import RunError
from pomona.tasks import load_task
from pomona.tasks.readers import parquet_table, store, survey, table, text_table
from pomona.tasks.readers.survey import survey_table
from pomona.tasks.readers.table import open_table

NUM_ROWS = 5000


@pytest.fixture(params=["csv", "parquet"])
def path(request, write, tmp_path):
    if request.param == "csv":
        return write("t.csv", lines("x,colour,y", row, NUM_ROWS))
    cells = [row(index).split(",") for index in range(NUM_ROWS)]
    columns = list(zip(*cells, strict=True))
    frame = {"x": [float(cell) for cell in columns[0]], "colour": columns[1], "y": columns[2]}
    pq.write_table(pa.table(frame), tmp_path / "t.parquet", row_group_size=300)
    return tmp_path / "t.parquet"


def row(index):
    return f"{np.sin(index) * 9:.6f},{'abcdefg'[index * index % 7]},{'pq'[index % 2]}"


@pytest.fixture
def small_memory(monkeypatch):
    monkeypatch.setattr(text_table, "BLOCK_BYTES", 8192)
    monkeypatch.setattr(parquet_table, "BLOCK_CELLS", 600)
    monkeypatch.setattr(survey, "SAMPLE_ROWS", 1000)
    monkeypatch.setattr(store, "MEMORY_BYTES", 10_000)


def test_mapped_and_streamed_examples_equal_those_in_memory(path, monkeypatch):
    in_memory = load_task(path, target="y")
    monkeypatch.setattr(text_table, "BLOCK_BYTES", 8192)
    monkeypatch.setattr(parquet_table, "BLOCK_CELLS", 600)
    monkeypatch.setattr(store, "MEMORY_BYTES", 10_000)
    monkeypatch.setattr(survey.Survey, "has_all_rows", False)
    mapped = load_task(path, target="y")
    assert mapped.fingerprint == in_memory.fingerprint
    assert mapped.preprocessing == in_memory.preprocessing
    for split in in_memory.splits:
        first, second = whole(in_memory, split), whole(mapped, split)
        for name, values in first.items():
            np.testing.assert_array_equal(second[name], values)
    arrays = mapped.splits["train"].arrays
    assert all(isinstance(values, np.memmap) or values.base is not None for values in arrays.values())


def test_no_block_holds_more_than_a_part_of_the_table(path, small_memory, monkeypatch):
    sizes = []
    for module, name in ((table, "text_blocks"), (table, "parquet_blocks")):
        original = getattr(module, name)

        def counted(*arguments, original=original):
            for block in original(*arguments):
                sizes.append(len(next(iter(block.values()))))
                yield block

        monkeypatch.setattr(module, name, counted)
    task = load_task(path, target="y")
    assert max(sizes) <= NUM_ROWS / 8
    assert sum(sizes) == 2 * NUM_ROWS  # the table is read exactly twice
    assert sum(source.size for source in task.splits.values()) == NUM_ROWS


def test_the_sample_is_bounded_and_the_rows_of_smallest_hash(path, small_memory, monkeypatch):
    sampled = survey_table(open_table(path), ["x", "colour"], ["y"])
    assert len(sampled.sample_rows) == 1000
    assert sampled.num_rows == NUM_ROWS
    monkeypatch.setattr(survey, "SAMPLE_ROWS", 2000)
    twice = survey_table(open_table(path), ["x", "colour"], ["y"])
    assert set(sampled.sample_rows) < set(twice.sample_rows)


def test_a_sample_fits_about_what_the_whole_would(path, monkeypatch):
    whole_step = load_task(path, target="y").preprocessing.steps[0]
    monkeypatch.setattr(survey, "SAMPLE_ROWS", 1000)
    step = load_task(path, target="y").preprocessing.steps[0]
    assert step != whole_step
    assert step.settings["scale"][0] == pytest.approx(whole_step.settings["scale"][0], rel=0.1)


def test_mapped_examples_are_made_once(path, small_memory, monkeypatch):
    first = load_task(path, target="y")

    def never(*arguments):
        raise AssertionError("read again")

    monkeypatch.setattr("pomona.tasks.readers.store._fill", never)
    again = load_task(path, target="y")
    np.testing.assert_array_equal(whole(again, "test")["columns"], whole(first, "test")["columns"])


def test_memory_does_not_grow_with_the_table(tmp_path):
    """Four times the rows cost far less than four times the memory: peaks of two fresh processes."""
    code = (
        "import resource, sys; from pomona.tasks import load_task;"
        "from pomona.tasks.readers import store, survey;"
        "store.MEMORY_BYTES = 1 << 20; survey.SAMPLE_ROWS = 2000;"
        "task = load_task(sys.argv[1], target='y');"
        "print(task.splits['train'].size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for index, num_groups in enumerate((8, 32)):
        path = tmp_path / f"{index}.parquet"
        write_groups(path, num_groups)
        result = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        size, peak = map(int, result.stdout.split())
        assert size == pytest.approx(0.7 * num_groups * 10_000, rel=0.05)
        peaks.append(peak * (1 if sys.platform == "darwin" else 1024))
    raw_bytes = 24 * 10_000 * 20 * 8  # of the 24 groups more
    assert peaks[1] - peaks[0] < raw_bytes / 2


def write_groups(path, num_groups):
    generator = np.random.default_rng(0)
    writer = None
    for _ in range(num_groups):
        columns = {f"x{index}": generator.normal(size=10_000) for index in range(20)}
        group = pa.table(columns | {"y": (columns["x0"] > 0).astype(int)})
        writer = writer or pq.ParquetWriter(path, group.schema)
        writer.write_table(group)
    writer.close()


def test_a_full_disk_leaves_nothing_and_is_told(path, small_memory, monkeypatch, cache):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RunError, match="the disk is full; nothing half-written is left"):
        load_task(path, target="y")
    assert not [file for file in cache.rglob("*") if file.is_file()]
