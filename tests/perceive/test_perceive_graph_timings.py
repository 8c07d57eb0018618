"""Times, drops and pictures: what a runner tells about itself."""

import gc
import math
import time
import tracemalloc
from xml.etree import ElementTree

import numpy as np
import pytest

from pomona.perceive.graph import Graph, GraphError, Packet, Runner, Stage, draw
from pomona.perceive.graph.timings import Stopwatch

NUM_TIMES = 20_000


@pytest.mark.parametrize("spread", [0.1, 2.0])
def test_percentiles_are_right_to_the_promised_share_whatever_the_spread(spread):
    durations_ms = np.random.default_rng(5).lognormal(1.0, spread, NUM_TIMES)
    watch = Stopwatch()
    for duration_ms in durations_ms:
        watch.add(float(duration_ms))
    times = watch.times()
    ordered = np.sort(durations_ms)
    assert times.median_ms == pytest.approx(ordered[NUM_TIMES // 2 - 1], rel=0.011)
    assert times.p95_ms == pytest.approx(ordered[math.ceil(0.95 * NUM_TIMES) - 1], rel=0.011)
    assert times.max_ms == ordered[-1]
    assert times.total_ms == pytest.approx(durations_ms.sum())
    assert (times.count, times.errors) == (NUM_TIMES, 0)


def test_a_stopwatch_takes_no_more_memory_for_more_times():
    durations_ms = np.random.default_rng(6).lognormal(1.0, 1.0, NUM_TIMES).tolist()
    watch = Stopwatch()

    def bytes_for(times):
        before = tracemalloc.get_traced_memory()[0]
        for duration_ms in times:
            watch.add(duration_ms)
        return tracemalloc.get_traced_memory()[0] - before

    tracemalloc.start()
    try:
        bytes_for(durations_ms)
        assert bytes_for(durations_ms * 3) < 10_000
    finally:
        tracemalloc.stop()


def test_times_before_the_first_frame_are_nan_and_zero():
    times = Stopwatch().times()
    assert (times.count, times.errors, times.total_ms) == (0, 0, 0.0)
    assert math.isnan(times.median_ms)
    assert math.isnan(times.p95_ms)
    assert math.isnan(times.max_ms)


def _slow(x: int):
    time.sleep(0.004)
    return {"y": x}


def _quick(y: int):
    if y == 3:
        raise ValueError("three")
    return {"z": y}


GRAPH = Graph(
    {"x": int},
    (Stage("slow", _slow, ("x",), {"y": int}), Stage("quick", _quick, ("y",), {"z": int})),
    ("z",),
)


def _packets(num_frames):
    return [Packet(i, i / 30, {"x": i}) for i in range(num_frames)]


def test_each_result_and_the_runner_tell_what_each_stage_took():
    with Runner(GRAPH, threads=2, on_error="skip") as runner:
        results = list(runner.files(_packets(6)))
        times = runner.timings()
    assert list(times) == ["slow", "quick"]
    assert [set(result.stage_ms) for result in results] == [{"slow", "quick"}] * 6
    assert times["slow"].count == times["quick"].count == 6
    assert (times["slow"].errors, times["quick"].errors) == (0, 1)
    assert times["slow"].total_ms == pytest.approx(sum(result.stage_ms["slow"] for result in results))
    for result in results:
        assert result.stage_ms["slow"] >= 4 * 0.99
        assert result.frame_ms >= result.stage_ms["slow"]


def test_a_stage_that_was_passed_over_has_no_time():
    stages = (Stage("fail", _quick, {"y": "x"}, {"y": int}), Stage("after", _slow, {"x": "y"}, {"z": int}))

    with Runner(Graph({"x": int}, stages, ("z",)), threads=1, on_error="skip") as runner:
        results = list(runner.files([Packet(0, 0.0, {"x": 3})]))
    assert set(results[0].stage_ms) == {"fail"}
    assert runner.timings()["after"].count == 0


def test_frames_that_went_through_are_let_go():
    def make(x):
        return {"y": np.zeros(250_000)}

    def use(y):
        return {"z": 1}

    stages = (Stage("make", make, ("x",), {"y": np.ndarray}), Stage("use", use, ("y",), {"z": int}))
    with Runner(Graph({"x": int}, stages, ("z",)), threads=2) as runner:
        tracemalloc.start()
        try:
            most = 0
            for _ in runner.files(_packets(60)):
                most = max(most, tracemalloc.get_traced_memory()[0])
            gc.collect()
            after = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    # 2 MB a frame: no more frames than are in flight are alive, and none once the stream is over
    assert most < 5 * 2_000_000
    assert after < 1_000_000


def test_the_picture_shows_every_stage_and_every_edge_with_its_type(tmp_path):
    path = tmp_path / "graph.svg"
    draw(GRAPH, path)
    picture = ElementTree.parse(path).getroot()
    space = {"svg": "http://www.w3.org/2000/svg"}
    groups = picture.findall("svg:g", space)
    shown = {
        tuple(text.text for text in group.findall("svg:text", space)): group.get("class") for group in groups
    }
    assert shown == {
        ("x", "int"): "edge-node input",
        ("y", "int"): "edge-node",
        ("z", "int"): "edge-node output",
        ("slow", "one frame at a time"): "stage",
        ("quick", "one frame at a time"): "stage",
    }
    assert len(picture.findall("svg:path", space)) == 4


def test_the_picture_escapes_what_names_hold(tmp_path):
    stage = Stage("a<b>&c", lambda **x: {}, ('"x"',), {"<y>": int}, at_once=2)
    draw(Graph({'"x"': dict[str, int]}, (stage,), ("<y>",)), tmp_path / "graph.svg")
    texts = {text.text for text in ElementTree.parse(tmp_path / "graph.svg").getroot().iter() if text.text}
    assert {"a<b>&c", '"x"', "<y>", "dict[str, int]", "2 frames at once"} <= texts


def test_a_graph_that_cannot_run_is_not_drawn(tmp_path):
    with pytest.raises(GraphError):
        draw(Graph({"x": int}, (), ("x",)), tmp_path / "graph.svg")
    assert not list(tmp_path.iterdir())
