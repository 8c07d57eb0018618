"""Latency: medians of blocks, on a clock that the test turns."""

import numpy as np
import pytest
from torch import nn

from pomona.export.exported_latency import exported_latency
from pomona.export.latency import latency


class Clock:
    """Time stands still but for what the session says a call takes."""

    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Timed:
    """A session whose n-th call takes `seconds(n)`."""

    threads = 3

    def __init__(self, clock, seconds):
        self.clock, self.seconds = clock, seconds
        self.sizes: list[int] = []

    def run(self, inputs):
        self.clock.now += self.seconds(len(self.sizes))
        self.sizes.append(len(inputs["x"]))
        return {}


EXAMPLE = {"x": np.zeros((4, 2), np.float32)}


def test_a_steady_session_has_its_own_time():
    clock = Clock()
    found = latency(Timed(clock, lambda call: 0.002), EXAMPLE, seconds=0.36, clock=clock)
    for value in (found.median_ms, found.low_ms, found.high_ms, found.p90_ms):
        assert value == pytest.approx(2.0)
    assert (found.threads, found.batch_size, found.num_calls) == (3, 1, 180)


def test_the_first_slow_calls_do_not_count():
    clock = Clock()
    session = Timed(clock, lambda call: 1.0 if call == 0 else 0.001)
    assert latency(session, EXAMPLE, seconds=0.1, clock=clock).p90_ms == pytest.approx(1.0)


def test_a_neighbour_during_some_blocks_does_not_move_the_median():
    clock = Clock()
    # 4 calls before; blocks of 20 calls; the neighbour takes two of nine blocks
    session = Timed(clock, lambda call: 0.009 if 24 <= call < 64 else 0.001)
    found = latency(session, EXAMPLE, seconds=0.18, clock=clock)
    assert found.median_ms == pytest.approx(1.0)
    assert found.p90_ms == pytest.approx(9.0)


def test_the_interval_holds_the_median_of_blocks_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        clock = Clock()
        # each block of 3 calls has a speed of its own, with median 1
        speeds = np.repeat(np.exp(rng.standard_normal(40)), 3)
        session = Timed(clock, lambda call, speeds=speeds: speeds[max(call - 4, 0)])
        found = latency(session, EXAMPLE, seconds=0, clock=clock)
        inside += found.low_ms <= 1000.0 <= found.high_ms
    assert inside / 300 > 0.93


@pytest.mark.parametrize("num_examples", [1, 3, 9])
def test_the_example_is_cut_or_repeated(num_examples):
    clock = Clock()
    session = Timed(clock, lambda call: 0.01)
    assert latency(session, EXAMPLE, num_examples=num_examples, clock=clock).batch_size == num_examples
    assert set(session.sizes) == {num_examples}


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, inputs):
        return {"y": self.linear(inputs["x"])}


def test_the_latency_of_an_exported_network_is_told_with_its_threads():
    found = exported_latency(Line(), {**EXAMPLE, "y": np.zeros(4)}, seconds=0.01)
    assert 0 < found.low_ms <= found.median_ms <= found.high_ms
    assert found.threads == 1


def test_where_tracing_fails_the_network_is_exported_as_for_use(monkeypatch):
    class OnlyOnce(Line):
        def forward(self, inputs):
            import torch

            if torch.jit.is_tracing():
                raise RuntimeError("cannot be traced")
            return super().forward(inputs)

    assert exported_latency(OnlyOnce(), EXAMPLE, seconds=0.01).median_ms > 0
