"""What threads may and may not do: overlap, keep order, stay few, stop when told, and be gone afterwards."""

import gc
import itertools
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from pomona.foundation.errors import SettingError
from pomona.perceive.graph import Graph, GraphError, Packet, Runner, Stage, StageError

WAIT_S = 20  # far longer than anything here takes; only a deadlock gets there


def _packets(num_frames):
    return (Packet(i, i / 30, {"x": i}) for i in range(num_frames))


def _chain(*functions, states=None):
    """A graph of stages in a row: x → e0 → e1 …, the last edge its output."""
    stages = []
    for index, function in enumerate(functions):
        source = f"e{index - 1}" if index else "x"
        state = (states or {}).get(index)
        stages.append(Stage(f"s{index}", function, {"x": source}, {f"e{index}": int}, state=state))
    return Graph({"x": int}, tuple(stages), (f"e{len(functions) - 1}",))


def _pass_on(index):
    return lambda x: {f"e{index}": x}


@pytest.fixture(autouse=True)
def no_thread_stays():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_the_next_frame_is_begun_while_this_one_is_at_a_later_stage():
    # stage 0 of frame t + 1 and stage 1 of frame t wait for each other: only side by side can they go on
    meeting = threading.Barrier(2)

    def first(x):
        if x > 0:
            meeting.wait(WAIT_S)
        return {"e0": x}

    def second(x):
        if x < 5:
            meeting.wait(WAIT_S)
        return {"e1": x}

    with Runner(_chain(first, second), threads=2) as runner:
        assert [result.values["e1"] for result in runner.files(_packets(6), in_flight=2)] == list(range(6))


def test_independent_stages_of_one_frame_run_side_by_side():
    meeting = threading.Barrier(3)

    def meet(name):
        def function(x):
            meeting.wait(WAIT_S)
            return {name: x}

        return function

    stages = tuple(Stage(name, meet(name), ("x",), {name: int}) for name in "abc")
    with Runner(Graph({"x": int}, stages, ("a", "b", "c")), threads=3) as runner:
        assert runner.once(Packet(0, 0.0, {"x": 7})) == {"a": 7, "b": 7, "c": 7}


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_no_more_stages_are_at_work_than_threads(threads):
    lock, at_work, most = threading.Lock(), [0], [0]

    def busy(name):
        def function(x):
            with lock:
                at_work[0] += 1
                most[0] = max(most[0], at_work[0])
            time.sleep(1e-3)
            with lock:
                at_work[0] -= 1
            return {name: x}

        return function

    stages = tuple(Stage(name, busy(name), ("x",), {name: int}, at_once=8) for name in "abcdef")
    with Runner(Graph({"x": int}, stages, tuple("abcdef")), threads=threads) as runner:
        list(runner.files(_packets(10), in_flight=4))
        runner.once(Packet(0, 0.0, {"x": 1}))
    assert most[0] == threads


@pytest.mark.parametrize(("at_once", "expected"), [(1, 1), (2, 2)])
def test_a_stage_without_state_works_on_at_once_frames(at_once, expected):
    lock, at_work, most = threading.Lock(), [0], [0]

    def busy(x):
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        time.sleep(2e-3)
        with lock:
            at_work[0] -= 1
        return {"y": x}

    graph = Graph({"x": int}, (Stage("busy", busy, ("x",), {"y": int}, at_once=at_once),), ("y",))
    with Runner(graph, threads=4) as runner:
        list(runner.files(_packets(16), in_flight=8))
    assert most[0] == expected


def test_a_stage_with_state_sees_every_frame_once_in_order_and_never_two():
    inside = threading.Lock()

    def jitter(x):
        time.sleep((x * 7 % 5) * 1e-3)
        return {"e0": x}

    def collect(x, state):
        assert inside.acquire(blocking=False), "two frames at once"
        time.sleep((x * 3 % 4) * 5e-4)
        inside.release()
        return {"e1": x}, (*state, x)

    def last(x, state):
        return {"e2": sum(state[-3:])}, (*state, x)

    stages = (
        Stage("jitter", jitter, {"x": "x"}, {"e0": int}, at_once=4),
        Stage("collect", collect, {"x": "e0"}, {"e1": int}, state=tuple),
        Stage("last", last, {"x": "e1"}, {"e2": int}, state=tuple),
    )
    with Runner(Graph({"x": int}, stages, ("e2",)), threads=4) as runner:
        got = [result.values["e2"] for result in runner.files(_packets(40), in_flight=8)]
    assert got == [sum(range(max(0, i - 3), i)) for i in range(40)]


def test_a_slow_consumer_stops_the_reading():
    read = []

    def packets():
        for packet in _packets(20):
            read.append(packet.frame)
            yield packet

    with Runner(_chain(_pass_on(0)), threads=2) as runner:
        for result in runner.files(packets(), in_flight=3):
            # what is read and not given out, this one not counted
            assert len(read) - (result.packet.frame + 1) <= 3
            assert runner.queue_depth <= 3
        assert runner.queue_depth == 0
        assert 2 <= runner.max_queue_depth <= 3


def test_an_endless_stream_is_read_as_it_is_taken():
    endless = (Packet(i, i / 30, {"x": i}) for i in itertools.count())
    with Runner(_chain(_pass_on(0), _pass_on(1)), threads=2) as runner:
        frames = [result.packet.frame for result in itertools.islice(runner.files(endless), 50)]
    assert frames == list(range(50))


def test_a_frame_that_is_done_waits_for_one_more_of_a_slow_source_at_most():
    is_done, read = threading.Semaphore(0), []

    def note(x):
        is_done.release()
        return {"e0": x}

    def source():
        for packet in _packets(4):
            read.append(packet.frame)
            yield packet
            # the frame that was just taken is through the runner before the next one is there
            assert is_done.acquire(timeout=WAIT_S)
            time.sleep(0.02)

    with Runner(_chain(note), threads=1) as runner:
        for result in runner.files(source(), in_flight=3):
            assert len(read) <= result.packet.frame + 2


@pytest.mark.parametrize("mode", ["once", "files"])
def test_an_interrupt_leaves_the_states_after_the_last_result(mode):
    got, is_armed = [], [True]

    def count(x, state):
        return {"e0": state}, state + 1

    def interrupt(x):
        # as Ctrl-C does, once the main thread has the results before this frame
        while x == 3 and is_armed[0]:
            if len(got) == 3:
                is_armed[0] = False
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            time.sleep(0.01)
        return {"e1": x}

    def take_all(runner):
        results = runner.files(_packets(9)) if mode == "files" else map(runner.result, _packets(9))
        for result in results:
            got.append(result.values["e1"])

    with Runner(_chain(count, interrupt, states={0: int}), threads=2) as runner:
        with pytest.raises(KeyboardInterrupt):
            take_all(runner)
        assert (got, runner.queue_depth) == ([0, 1, 2], 0)
        assert [result.values["e1"] for result in runner.files(_packets(2))] == [3, 4]


def test_a_stage_that_leaves_by_system_exit_is_a_failed_stage():
    def leave(x):
        sys.exit("stage left")

    with (
        Runner(_chain(_pass_on(0), leave), threads=2) as runner,
        pytest.raises(StageError, match="SystemExit"),
    ):
        list(runner.files(_packets(3)))


def test_the_error_of_a_source_comes_after_the_results_before_it():
    def packets():
        yield from _packets(4)
        raise OSError("the camera went away")

    got = []
    with Runner(_chain(_pass_on(0)), threads=2) as runner:
        with pytest.raises(OSError, match="the camera went away"):
            got.extend(result.packet.frame for result in runner.files(packets()))
        assert got == [0, 1, 2, 3]
        assert runner.once(Packet(9, 0.3, {"x": 9})) == {"e0": 9}


def test_a_runner_does_one_thing_at_a_time():
    with Runner(_chain(_pass_on(0)), threads=1) as runner:
        stream = runner.files(_packets(9))
        next(stream)
        for other in (
            lambda: runner.once(Packet(0, 0.0, {"x": 0})),
            lambda: next(runner.files(_packets(2))),
            lambda: runner.live(deliver=print),
            runner.reset,
        ):
            with pytest.raises(GraphError, match="at work"):
                other()
        stream.close()
        assert runner.once(Packet(0, 0.0, {"x": 4})) == {"e0": 4}


def test_a_closed_runner_says_so():
    runner = Runner(_chain(_pass_on(0)), threads=2)
    stream = runner.files(_packets(9))
    next(stream)
    runner.close()
    runner.close()
    with pytest.raises(GraphError, match="closed"):
        list(stream)
    with pytest.raises(GraphError, match="closed"):
        runner.once(Packet(0, 0.0, {"x": 0}))


def test_closing_waits_for_the_stage_at_work():
    has_begun, is_over = threading.Event(), threading.Event()

    def slow(x):
        has_begun.set()
        time.sleep(0.05)
        is_over.set()
        return {"e0": x}

    runner = Runner(_chain(slow), threads=1)
    live = runner.live(deliver=lambda result: None)
    live.offer(Packet(0, 0.0, {"x": 0}))
    assert has_begun.wait(WAIT_S)
    runner.close()
    assert is_over.is_set()


def test_a_forgotten_runner_ends_its_threads():
    runner = Runner(_chain(_pass_on(0), _pass_on(1)), threads=3)
    list(runner.files(_packets(5)))
    mine = [thread for thread in threading.enumerate() if thread.name.startswith("stages-")]
    assert mine
    del runner
    gc.collect()
    for thread in mine:
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_an_unclosed_runner_does_not_keep_the_program_from_ending():
    code = (
        "from pomona.perceive.graph import *\n"
        "stage = Stage('s', lambda x: {'y': x}, ('x',), {'y': int})\n"
        "runner = Runner(Graph({'x': int}, (stage,), ('y',)), threads=2)\n"
        "stream = runner.files(Packet(i, 0.0, {'x': i}) for i in range(99))\n"
        "print(next(stream).values['y'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=dict(os.environ)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_a_stream_that_is_never_begun_keeps_nothing():
    with Runner(_chain(_pass_on(0)), threads=1) as runner:
        runner.files(_packets(3))
        assert runner.once(Packet(0, 0.0, {"x": 1})) == {"e0": 1}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda graph: Runner(graph, threads=0), "threads must be at least 1"),
        (lambda graph: Runner(graph, threads=1, on_error="stpo"), "did you mean 'stop'"),
        (lambda graph: Runner(graph, threads=1).files([], in_flight=0), "in_flight must be at least 1"),
        (lambda graph: Runner(graph, threads=1).live(deliver=print, queue=0), "queue and in_flight"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(SettingError, match=message):
        make(_chain(_pass_on(0)))
