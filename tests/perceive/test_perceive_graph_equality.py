"""Whatever the threads do, a runner gives what plain calls in order give: random graphs, brute force."""

import random
import time
from functools import partial

import pytest

from pomona.perceive.graph import Graph, Packet, Runner, Stage, StageError

NUM_FRAMES = 12


def _stage_function(name: str, draw: random.Random, *, has_state: bool, fails: bool):
    """Mixes its inputs, its name and its state; now and then slow, and on some frames failing."""
    salt, delays = draw.randrange(1000), [draw.choice([0, 0, 0, 2e-4, 1e-3]) for _ in range(7)]

    def mix(values, remembered=0):
        total = salt + 31 * remembered + sum((i + 3) * v for i, (_, v) in enumerate(sorted(values.items())))
        time.sleep(delays[total % 7])
        if fails and total % 5 == 0:
            raise ValueError(f"{name} dislikes {total}")
        return total % 10007

    def stateless(**values):
        return {f"{name}_a": mix(values), f"{name}_b": mix(values) + 1}

    def stateful(*, state, **values):
        total = mix(values, state)
        return {f"{name}_a": total, f"{name}_b": total + 1}, total

    return stateful if has_state else stateless


def _random_graph(seed: int, *, fails: bool) -> Graph:
    draw = random.Random(seed)
    edges, stages = ["x", "y"], []
    for index in range(draw.randrange(2, 8)):
        name, has_state = f"s{index}", draw.random() < 0.5
        inputs = tuple(draw.sample(edges, draw.randrange(1, min(4, len(edges)) + 1)))
        function = _stage_function(name, draw, has_state=has_state, fails=fails and draw.random() < 0.4)
        made = {f"{name}_a": int, f"{name}_b": int}
        state = partial(int, draw.randrange(9)) if has_state else None
        stages.append(
            Stage(name, function, inputs, made, state=state, at_once=1 if has_state else draw.randrange(1, 4))
        )
        edges += made
    # any order of the stages is the same graph
    ordered = draw.sample(stages, len(stages))
    return Graph({"x": int, "y": int}, tuple(ordered), tuple(edges))


def _packets(num_frames: int = NUM_FRAMES) -> list[Packet]:
    return [Packet(i, i / 25, {"x": i * i + 1, "y": 7 * i + 3}) for i in range(num_frames)]


class Plain:
    """One stage after the other, one frame after the other."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.states = {stage.name: stage.state() for stage in graph.stages if stage.state}

    def frame(self, packet: Packet) -> tuple[dict, set[str]]:
        values, failed, left = dict(packet.values), set(), list(self.graph.stages)
        while left:
            ready = [stage for stage in left if self._settled(stage, values, left)]
            for stage in ready:
                left.remove(stage)
                self._run(stage, values, failed)
        return values, failed

    def _settled(self, stage: Stage, values: dict, left: list[Stage]) -> bool:
        to_come = {edge for other in left for edge in other.outputs}
        return not to_come & set(stage.arguments.values())

    def _run(self, stage: Stage, values: dict, failed: set[str]) -> None:
        if not set(stage.arguments.values()) <= set(values):
            return
        given = {name: values[edge] for name, edge in stage.arguments.items()}
        try:
            if stage.state is None:
                made = stage.function(**given)
            else:
                made, self.states[stage.name] = stage.function(**given, state=self.states[stage.name])
        except ValueError:
            failed.add(stage.name)
        else:
            values.update(made)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("threads", "in_flight"), [(1, 1), (2, 3), (4, 9)])
def test_files_gives_what_plain_calls_give(seed, threads, in_flight):
    graph = _random_graph(seed, fails=False)
    plain = Plain(graph)
    expected = [plain.frame(packet)[0] for packet in _packets()]
    with Runner(graph, threads=threads) as runner:
        results = list(runner.files(iter(_packets()), in_flight=in_flight))
    assert [dict(result.values) for result in results] == expected
    assert [result.packet.frame for result in results] == list(range(NUM_FRAMES))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_once_gives_what_plain_calls_give(seed, threads):
    graph = _random_graph(seed, fails=False)
    plain = Plain(graph)
    with Runner(graph, threads=threads) as runner:
        for packet in _packets():
            assert runner.once(packet) == plain.frame(packet)[0]


@pytest.mark.parametrize("seed", range(100, 116))
@pytest.mark.parametrize(("threads", "in_flight"), [(1, 2), (3, 5)])
def test_skipping_errors_gives_what_plain_calls_that_skip_give(seed, threads, in_flight):
    graph = _random_graph(seed, fails=True)
    order = [stage.name for stage in graph.stages]
    plain = Plain(graph)
    with Runner(graph, threads=threads) as runner:
        for result in runner.files(_packets(), in_flight=in_flight, on_error="skip"):
            values, failed = plain.frame(result.packet)
            assert dict(result.values) == values
            if result.error is None:
                assert not failed
            else:
                assert result.error.stage == min(failed, key=order.index)
                assert result.error.frame == result.packet.frame


@pytest.mark.parametrize("seed", range(100, 116))
@pytest.mark.parametrize("threads", [1, 3])
def test_after_a_stop_the_states_are_those_after_the_last_good_frame(seed, threads):
    # so taking the frame again fails again, and leaving it out is as if it had never been
    graph = _random_graph(seed, fails=True)
    packets, results, failures = _packets(), [], 0
    plain = Plain(graph)
    with Runner(graph, threads=threads) as runner:
        while packets:
            try:
                for result in runner.files(packets, in_flight=4):
                    results.append(dict(result.values))
                    packets = packets[1:]
            except StageError as error:
                with pytest.raises(StageError, match=f"'{error.stage}' failed on frame {packets[0].frame} "):
                    runner.once(packets[0])
                packets, failures = packets[1:], failures + 1
    expected = []
    for packet in _packets():
        before = dict(plain.states)
        values, failed = plain.frame(packet)
        if failed:
            plain.states = before
        else:
            expected.append(values)
    assert results == expected
    assert len(results) + failures == NUM_FRAMES


@pytest.mark.parametrize("seed", range(6))
def test_closing_the_iterator_takes_back_what_was_begun(seed):
    graph = _random_graph(seed, fails=False)
    plain = Plain(graph)
    packets = _packets()
    with Runner(graph, threads=3) as runner:
        stream = runner.files(packets, in_flight=5)
        got = [dict(next(stream).values) for _ in range(3)]
        stream.close()
        got += [runner.once(packet) for packet in packets[3:6]]
        got += [dict(result.values) for result in runner.files(packets[6:])]
    assert got == [plain.frame(packet)[0] for packet in packets]


def test_reset_gives_every_stage_its_first_state_again():
    graph = _random_graph(4, fails=False)
    assert any(stage.state is not None for stage in graph.stages)
    with Runner(graph, threads=2) as runner:
        first = [dict(result.values) for result in runner.files(_packets())]
        runner.reset()
        assert {times.count for times in runner.timings().values()} == {0}
        again = [runner.once(packet) for packet in _packets()]
    assert again == first
