"""Stages as real processes. One pipeline serves most tests: a process takes half a second to start."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pipeline_models import entries, looking_up_model, skipping_model

from pomona.compile.pipeline.chain import read_chain
from pomona.compile.pipeline.part_session import PartSession
from pomona.compile.pipeline.partition_file import Partition, Stage, read_partition, write_partition
from pomona.compile.pipeline.pipeline import Pipeline
from pomona.compile.pipeline.processes import cores_of
from pomona.compile.pipeline.traced import trace
from pomona.foundation.errors import ArtifactError, DataError, PomonaError, SettingError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipelines need pipes that processes inherit")


def write_cut(folder, model, entry, *places):
    """A partition of a model, cut at these places."""
    traced = trace(read_chain(model), entry)
    chain, ends = traced.chain, [0, *places, len(traced.chain.nodes)]
    pairs = list(itertools.pairwise(ends))
    stages = tuple(Stage("", "", pair, 1.0, 0, 0) for pair in pairs)
    crossings = tuple(tuple(traced.tensors[name] for name in chain.live[place]) for place in ends)
    models = [chain.part_model(*pair, traced.tensors) for pair in pairs]
    return write_partition(folder, Partition("model", 1, "test", 2, 0.0, stages, crossings), models)


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return write_cut(tmp_path_factory.mktemp("cut") / "partition", skipping_model(), entries(1)[0], 9)


@pytest.fixture(scope="module")
def pipeline(plan):
    with Pipeline(plan, num_slots=2) as opened:
        yield opened
        processes = [Path(f"/proc/{one}") for one in opened.process_ids]
    assert not any(process.exists() for process in processes)


def wanted(inputs):
    session = PartSession(skipping_model())
    return [session.run(one) for one in inputs]


def test_entries_come_out_in_order_and_as_the_whole_model_has_them(pipeline):
    inputs = entries(30)
    found = list(pipeline.map(inputs))
    assert len(found) == 30
    for one, want in zip(found, wanted(inputs), strict=True):
        assert one.keys() == want.keys()
        for name, array in want.items():
            np.testing.assert_array_equal(one[name], array)


def test_no_more_entries_are_read_than_the_pipeline_holds(pipeline):
    read = []

    def endless():
        for one in entries(200):
            read.append(one)
            yield one

    results = pipeline.map(endless())
    next(results)
    # two slots in each of three rings, one entry in each of two stages, and what came out meanwhile
    time.sleep(0.2)
    assert len(read) <= 3 * 2 + 2 + 2
    results.close()
    list(pipeline.results())


def test_submitted_entries_are_fetched_later_and_numbered(pipeline):
    inputs = entries(12)
    first = pipeline.submit(inputs[0])
    assert [pipeline.submit(one) for one in inputs[1:]] == [first + 1 + place for place in range(11)]
    found = [one["y"] for one in pipeline.results()]
    np.testing.assert_array_equal(np.stack(found), np.stack([one["y"] for one in wanted(inputs)]))
    assert list(pipeline.results()) == []


def test_results_do_not_change_when_their_slot_is_used_again(pipeline):
    inputs = entries(20)
    found = list(pipeline.map(inputs))
    again = list(pipeline.map(inputs[::-1]))
    np.testing.assert_array_equal(found[0]["y"], again[-1]["y"])
    assert not np.array_equal(found[0]["y"], found[-1]["y"])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "'x' is missing, float32 of shape (1, 3, 8) is wanted"),
        ({"x": np.zeros((2, 3, 8), np.float32)}, "'x' is float32 of shape (2, 3, 8)"),
        ({"x": np.zeros((1, 3, 8))}, "'x' is float64 of shape (1, 3, 8)"),
        ({"x": [[1.0]]}, "'x' is no array"),
        ({"x": np.zeros((1, 3, 8), np.float32), "z": np.zeros(1)}, "there is no input 'z', only x"),
    ],
)
def test_a_wrong_entry_is_refused_in_one_line_and_harms_nothing(pipeline, entry, message):
    with pytest.raises(DataError) as error:
        pipeline.submit(entry)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert len(list(pipeline.map(entries(3)))) == 3


def test_stages_have_cores_of_their_own_and_no_torch(pipeline):
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system pins no processes")
    cores = [os.sched_getaffinity(one) for one in pipeline.process_ids]
    assert [set(one) for one in cores] == [{core} for core in cores_of(2, None)]
    for one in pipeline.process_ids:
        assert "libtorch" not in Path(f"/proc/{one}/maps").read_text()


def test_what_a_stage_cannot_compute_is_told_for_that_entry_alone(tmp_path):
    good = {"x": np.ones((2, 4), np.float32), "index": np.array([1])}
    plan = write_cut(tmp_path / "partition", looking_up_model(), good, 1)
    with Pipeline(plan) as pipeline:
        pipeline.submit(good)
        pipeline.submit({**good, "index": np.array([7])})
        pipeline.submit(good)
        results = pipeline.results()
        assert next(results)["y"].shape == (1, 4)
        with pytest.raises(DataError, match="entry 1 cannot be computed: ONNX Runtime refuses the inputs"):
            next(results)
        assert [one["y"].sum() for one in pipeline.results()] == [4.0]


def test_a_killed_stage_is_named_in_one_line_and_the_others_end(plan):
    pipeline = Pipeline(plan)
    first, second = pipeline.process_ids
    os.kill(second, signal.SIGKILL)
    with pytest.raises(PomonaError) as error:
        list(pipeline.map(entries(100)))
    assert str(error.value) == "stage 2 of 2 was ended by signal 9 (SIGKILL): start the pipeline again"
    assert not Path(f"/proc/{first}").exists()
    with pytest.raises(PomonaError, match="closed"):
        pipeline.submit(entries(1)[0])


OWNER = """
import sys, json
from pomona.compile.pipeline.pipeline import Pipeline
pipeline = Pipeline(sys.argv[1])
print(json.dumps(pipeline.process_ids), flush=True)
sys.stdin.read()
"""


def test_stages_end_when_their_owner_is_killed_and_no_shared_memory_stays(plan):
    before = set(Path("/dev/shm").glob("*"))
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(plan)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    stages = [Path(f"/proc/{one}") for one in json.loads(owner.stdout.readline())]
    assert all(stage.exists() for stage in stages)
    owner.kill()
    owner.communicate()
    deadline = time.monotonic() + 10
    while any(is_running(stage) for stage in stages) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(is_running(stage) for stage in stages)
    assert not [path for path in set(Path("/dev/shm").glob("*")) - before if "pomona" in path.name]


def is_running(process):
    """Whether a process lives; one that is dead and not yet collected does not."""
    try:
        return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_stage_that_cannot_load_its_model_is_named(plan, tmp_path):
    partition, folder = read_partition(plan)
    models = [folder.joinpath(partition.stages[0].file).read_bytes(), b"broken"]
    with pytest.raises(PomonaError) as error:
        Pipeline(write_partition(tmp_path / "partition", partition, models))
    assert str(error.value).startswith("stage 2 of 2 ended with 1: ONNX Runtime cannot load")


def test_what_is_no_partition_is_refused(plan, tmp_path):
    with pytest.raises(ArtifactError, match=r"has no plan\.json"):
        Pipeline(tmp_path)
    partition, folder = read_partition(plan.parent)
    changed = write_partition(tmp_path / "partition", partition, [b"one", b"two"])
    changed.with_name("stage-2.onnx").write_bytes(b"three")
    with pytest.raises(ArtifactError, match="was changed after it was written"):
        Pipeline(changed)
    changed.write_text('{"format": 1}')
    with pytest.raises(ArtifactError, match="does not describe a partition"):
        Pipeline(tmp_path)
    with pytest.raises(SettingError, match="num_slots is from 1 to 200, got 0"):
        Pipeline(folder, num_slots=0)
    with pytest.raises(SettingError, match="core 9999 is none of those"):
        Pipeline(folder, cores=[9999])
    with pytest.raises(SettingError, match="2 stages, 1 devices are given"):
        Pipeline(folder, devices=["cpu"])
    with pytest.raises(SettingError, match="cpu or on a GPU such as cuda:0, not on tpu"):
        PartSession(skipping_model(), device="tpu")


def test_a_partition_is_read_as_it_was_written(plan):
    partition, folder = read_partition(plan)
    assert read_partition(folder) == (partition, folder)
    assert read_partition(folder.parent) == (partition, folder)
    assert [stage.nodes for stage in partition.stages] == [(0, 9), (9, partition.stages[-1].nodes[1])]
