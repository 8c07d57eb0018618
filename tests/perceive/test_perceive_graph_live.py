"""Live mode: the newest frame wins, nothing grows, errors come out. Stages wait for the test, not a clock."""

import threading

import pytest

from pomona.perceive.graph import Graph, GraphError, Packet, Runner, Stage, StageError

WAIT_S = 20  # far longer than anything here takes; only a deadlock gets there


class Gate:
    """A stage that lets a frame through when the test says so."""

    def __init__(self):
        self.entered, self.open = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, x):
        self.entered.release()
        assert self.open.acquire(timeout=WAIT_S)
        return {"y": x}

    def wait_for_frame(self):
        assert self.entered.acquire(timeout=WAIT_S)


class Sink:
    """Collects what is delivered."""

    def __init__(self):
        self.results, self._came = [], threading.Semaphore(0)

    def __call__(self, result):
        self.results.append(result)
        self._came.release()

    def wait_for(self, num_results):
        for _ in range(num_results):
            assert self._came.acquire(timeout=WAIT_S)

    @property
    def frames(self):
        return [result.packet.frame for result in self.results]


def _graph(function, **more):
    return Graph({"x": int}, (Stage("stage", function, ("x",), {"y": int}, **more),), ("y",))


def _packet(frame):
    return Packet(frame, frame / 30, {"x": 10 * frame})


@pytest.fixture(autouse=True)
def no_thread_stays():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(("queue", "kept"), [(1, [0, 99]), (3, [0, 97, 98, 99])])
def test_of_the_frames_that_come_meanwhile_the_newest_are_kept(queue, kept):
    gate, sink = Gate(), Sink()
    with Runner(_graph(gate), threads=2) as runner, runner.live(deliver=sink, queue=queue) as live:
        live.offer(_packet(0))
        gate.wait_for_frame()
        for frame in range(1, 100):
            live.offer(_packet(frame))
        assert runner.queue_depth == 1 + queue
        assert live.drops == runner.drops == 99 - queue
        gate.open.release(100)
        sink.wait_for(len(kept))
    assert sink.frames == kept
    assert [result.values["y"] for result in sink.results] == [10 * frame for frame in kept]
    assert (runner.queue_depth, runner.max_queue_depth) == (0, 1 + queue)


def test_a_slow_delivery_holds_frames_back_and_does_not_pile_them_up():
    is_delivering, may_go_on, seen = threading.Semaphore(0), threading.Semaphore(0), []

    def deliver(result):
        seen.append(result.packet.frame)
        is_delivering.release()
        assert may_go_on.acquire(timeout=WAIT_S)

    with Runner(_graph(lambda x: {"y": x}), threads=2) as runner, runner.live(deliver=deliver) as live:
        for first in range(0, 50, 10):
            # ten frames come while one is delivered
            for frame in range(first, first + 10):
                live.offer(_packet(frame))
                if frame == 0:
                    assert is_delivering.acquire(timeout=WAIT_S)
            may_go_on.release()
            assert is_delivering.acquire(timeout=WAIT_S)
            assert runner.queue_depth == 1
        may_go_on.release(9)
    # each of them is the newest there was when its place became free
    assert seen == [0, 9, 19, 29, 39, 49]
    assert live.drops == 50 - 6


def test_the_age_of_what_is_delivered_does_not_grow():
    # a clock that ticks with each offer: the stage takes five ticks, frames come every tick
    gate, sink = Gate(), Sink()
    clock, ages = 0, []
    with Runner(_graph(gate), threads=1) as runner, runner.live(deliver=sink) as live:
        for _ in range(200):
            live.offer(_packet(clock))
            clock += 1
            if clock == 1:
                gate.wait_for_frame()
            if clock % 5 == 0:
                gate.open.release()
                sink.wait_for(1)
                ages.append(clock - sink.frames[-1])
                gate.wait_for_frame()
        gate.open.release(9)
    assert max(ages[2:]) == ages[2] <= 2 * 5
    assert len(sink.results) == 200 // 5 + 1


def test_frames_overlap_when_asked_and_come_out_in_order():
    # every other frame waits until the one behind it is through
    is_through = [threading.Event() for _ in range(4)]

    def wait(x):
        assert x % 20 or is_through[x // 10 + 1].wait(WAIT_S)
        return {"waited": x}

    def note(waited):
        is_through[waited // 10].set()
        return {"y": waited}

    stages = (
        Stage("wait", wait, ("x",), {"waited": int}, at_once=2),
        Stage("note", note, ("waited",), {"y": int}),
    )
    sink = Sink()
    with (
        Runner(Graph({"x": int}, stages, ("y",)), threads=2) as runner,
        runner.live(deliver=sink, queue=4, in_flight=2) as live,
    ):
        for frame in range(4):
            live.offer(_packet(frame))
        sink.wait_for(4)
    assert sink.frames == [0, 1, 2, 3]


def test_a_delivery_does_not_hold_up_the_work_on_the_next_frame():
    gate, seen = Gate(), []

    def deliver(result):
        # goes on when the next frame is at the stage that this one was at
        if result.packet.frame == 0:
            gate.wait_for_frame()
        seen.append(result.packet.frame)

    with (
        Runner(_graph(gate), threads=2) as runner,
        runner.live(deliver=deliver, queue=2, in_flight=2) as live,
    ):
        live.offer(_packet(0))
        gate.wait_for_frame()
        live.offer(_packet(1))
        gate.open.release(2)
    assert seen == [0, 1]


def test_state_goes_from_delivered_frame_to_delivered_frame():
    gate, sink = Gate(), Sink()

    def remember(y, state):
        return {"seen": state}, (*state, y)

    stages = (
        Stage("gate", gate, ("x",), {"y": int}),
        Stage("memory", remember, ("y",), {"seen": tuple}, state=tuple),
    )
    with (
        Runner(Graph({"x": int}, stages, ("seen",)), threads=2) as runner,
        runner.live(deliver=sink) as live,
    ):
        for round_ in range(4):
            live.offer(_packet(3 * round_))
            gate.wait_for_frame()
            live.offer(_packet(3 * round_ + 1))
            live.offer(_packet(3 * round_ + 2))
            gate.open.release(2)
            sink.wait_for(2)
            gate.wait_for_frame()
    assert sink.frames == [0, 2, 3, 5, 6, 8, 9, 11]
    assert sink.results[-1].values["seen"] == (0, 20, 30, 50, 60, 80, 90)


def _dislikes(x):
    if x == 20:
        raise ValueError("twenty")
    return {"y": x}


def test_skipping_goes_on_after_a_failed_frame_and_tells_of_it():
    sink = Sink()
    with (
        Runner(_graph(_dislikes), threads=1, on_error="skip") as runner,
        runner.live(deliver=sink) as live,
    ):
        for frame in range(4):
            live.offer(_packet(frame))
            sink.wait_for(1)
    assert [None if result.error is None else str(result.error) for result in sink.results] == [
        None,
        None,
        "stage 'stage' failed on frame 2 (0.067 s): ValueError: twenty",
        None,
    ]
    assert runner.timings()["stage"].errors == 1


def test_stopping_delivers_the_failed_frame_and_refuses_further_ones():
    sink = Sink()
    with Runner(_graph(_dislikes), threads=1) as runner:
        live = runner.live(deliver=sink)
        for frame in range(3):
            live.offer(_packet(frame))
            sink.wait_for(1)
        live.close()
        assert isinstance(live.failure, StageError)
        with pytest.raises(StageError, match="frame 2"):
            live.offer(_packet(3))
        # the runner is free again
        assert runner.once(_packet(5)) == {"y": 50}
    assert sink.frames == [0, 1, 2]


def test_frames_that_were_begun_behind_a_failed_one_are_not_delivered():
    gate, sink = Gate(), Sink()

    def refuse_first(y):
        if y == 0:
            raise ValueError("nought")
        return {"z": y}

    stages = (
        Stage("gate", gate, ("x",), {"y": int}, at_once=2),
        Stage("last", refuse_first, ("y",), {"z": int}),
    )
    with Runner(Graph({"x": int}, stages, ("z",)), threads=2) as runner:
        live = runner.live(deliver=sink, in_flight=2)
        for frame in range(2):
            live.offer(_packet(frame))
            gate.wait_for_frame()
        gate.open.release(2)
        live.close()
    assert sink.frames == [0]
    assert isinstance(live.failure, StageError)


def test_what_deliver_raises_ends_the_stream_and_comes_out():
    def deliver(result):
        raise ConnectionError("the page is gone")

    def offer_one(runner):
        with runner.live(deliver=deliver) as live:
            live.offer(_packet(0))

    with Runner(_graph(lambda x: {"y": x}), threads=1) as runner:
        with pytest.raises(ConnectionError, match="the page is gone"):
            offer_one(runner)
        assert runner.once(_packet(1)) == {"y": 10}


def test_nothing_is_delivered_after_close_and_a_closed_stream_says_so():
    gate, sink = Gate(), Sink()
    with Runner(_graph(gate), threads=2) as runner:
        live = runner.live(deliver=sink)
        live.offer(_packet(0))
        gate.wait_for_frame()
        live.offer(_packet(1))
        gate.open.release(2)
        live.close()
        frames = sink.frames
        assert frames[0] == 0
        assert len(frames) + live.drops == 2
        with pytest.raises(GraphError, match="closed"):
            live.offer(_packet(2))
        live.close()
        assert sink.frames == frames


def test_deliver_may_close_the_stream_itself():
    seen, is_over = [], threading.Event()

    def deliver(result):
        seen.append(result.packet.frame)
        live.close()
        is_over.set()

    with Runner(_graph(lambda x: {"y": x}), threads=2) as runner:
        live = runner.live(deliver=deliver)
        live.offer(_packet(0))
        assert is_over.wait(WAIT_S)
        live.close()
        assert runner.once(_packet(1)) == {"y": 10}
    assert seen == [0]


def test_many_threads_may_offer():
    sink = Sink()
    with (
        Runner(_graph(lambda x: {"y": x}), threads=2) as runner,
        runner.live(deliver=sink, queue=2) as live,
    ):
        producers = [
            threading.Thread(
                target=lambda first: [live.offer(_packet(first + i)) for i in range(100)], args=(k,)
            )
            for k in (0, 1000, 2000)
        ]
        for producer in producers:
            producer.start()
        for producer in producers:
            producer.join()
    assert len(sink.results) + live.drops == 300
    assert runner.queue_depth == 0
    for first in (0, 1000, 2000):
        frames = [frame for frame in sink.frames if first <= frame < first + 1000]
        assert frames == sorted(frames)


def test_a_packet_that_lacks_an_input_is_refused_where_it_is_offered():
    with (
        Runner(_graph(lambda x: {"y": x}), threads=1) as runner,
        runner.live(deliver=print) as live,
        pytest.raises(GraphError, match="frame 3 must bring x, got image"),
    ):
        live.offer(Packet(3, 0.1, {"image": 1}))
