"""Load on a simulated clock: when queries come, and what their latency counts from."""

import threading

import numpy as np
import pytest
from scipy import stats
from simulation import MS, SimulatedClock, SimulatedWorkers, waiting_ns

from pomona.compile.stopwatch.clock import MachineClock
from pomona.compile.stopwatch.drive import Load, drive
from pomona.compile.stopwatch.schedule import SampleOrder, poisson_arrivals
from pomona.compile.stopwatch.timings import Timings, joined
from pomona.compile.stopwatch.workers import Inline, Threads


def under(load, service_ns, *, num_loaded=10, should_stop=lambda: False):
    """Timings of one worker in the issuing thread, and the samples of each query."""
    clock, seen = SimulatedClock(), []

    def answer(samples):
        seen.append(samples)
        clock.work(service_ns(len(seen) - 1))

    return drive(load, Inline(answer, clock), clock, num_loaded=num_loaded, should_stop=should_stop), seen


def test_a_stream_sends_the_next_query_when_the_last_is_answered():
    timings, seen = under(Load(1.0, samples_per_query=8), lambda place: (2 if place % 2 else 4) * MS)
    assert timings.num_queries == len(seen) == 333
    assert (timings.scheduled[1:] == timings.done[:-1]).all()
    assert set(timings.latency_ns) == {2 * MS, 4 * MS}
    assert timings.samples_per_s == pytest.approx(8 * 333 / timings.seconds)
    assert {len(samples) for samples in seen} == {8}


def test_a_stream_goes_on_until_it_has_enough_queries():
    assert under(Load(0.001, min_queries=64), lambda _: MS)[0].num_queries == 64


def test_random_arrivals_are_poisson_and_follow_from_the_seed():
    arrivals = poisson_arrivals(1000, 20, 1, seed=1)
    gaps = np.diff(arrivals) / 1e6
    assert stats.kstest(gaps, "expon").pvalue > 0.001
    assert arrivals[-1] >= 20e9 > arrivals[-2]
    assert (arrivals == poisson_arrivals(1000, 20, 1, seed=1)).all()
    assert not (arrivals[:50] == poisson_arrivals(1000, 20, 1, seed=2)[:50]).any()
    assert not (arrivals[:50] == poisson_arrivals(1000, 20, 1, seed=1, part=1)[:50]).any()
    assert len(poisson_arrivals(1, 1, 700, seed=0)) == 700


def test_a_higher_rate_is_the_same_load_faster():
    slow, fast = poisson_arrivals(100, 50, 1, seed=0), poisson_arrivals(200, 25, 1, seed=0)
    assert np.abs(slow - 2 * fast).max() <= 2


def test_a_server_waits_as_queueing_theory_says():
    rate, service = 600, np.random.default_rng(0).exponential(MS, 100_000).astype(int)
    timings, _ = under(Load(20, rate=rate), lambda place: service[place])
    number = timings.num_queries
    wanted = waiting_ns(timings.scheduled.tolist(), service.tolist()[:number]) + service[:number]
    np.testing.assert_array_equal(timings.latency_ns, wanted)
    # M/M/1: the mean time in the system is 1 / (service rate - arrival rate)
    assert timings.latency_ns.mean() == pytest.approx(1e9 / (1000 - rate), rel=0.1)


def test_several_workers_share_the_queries():
    clock = SimulatedClock()
    service = np.random.default_rng(0).exponential(10 * MS, 100_000)
    workers = SimulatedWorkers(clock, 2, lambda place: service[place])
    timings = drive(Load(300, rate=120), workers, clock, num_loaded=5)
    assert timings.samples_per_s == pytest.approx(120, rel=0.05)
    # M/M/2: the time of a query, and the mean wait by Erlang's C formula
    busy = 120 / 100
    waits = busy**2 / (busy**2 + (2 - busy) * (1 + busy))
    assert timings.latency_ns.mean() / 1e9 == pytest.approx(0.01 + waits / (200 - 120), rel=0.1)


def test_a_stall_is_charged_to_all_queries_that_came_meanwhile():
    """No coordinated omission: 1 s of silence at 100 queries a second is 100 slow queries, not one."""

    def stalls_once(place):
        return 1000 * MS if place == 200 else MS

    timings, _ = under(Load(10, rate=100), stalls_once)
    slow = timings.latency_ns > 100 * MS
    assert 70 < slow.sum() < 130
    assert timings.percentile_ms(0.99) > 800
    # a generator that waits for answers before it counts would have seen one slow query
    omitting = timings.done - timings.issued
    assert (omitting > 100 * MS).sum() == 1
    assert np.quantile(omitting, 0.99) == MS
    assert timings.late_ns.max() > 900 * MS


def test_a_hopeless_rate_is_given_up_early():
    load = Load(20, rate=1000, bound_ms=15, gives_up=True)
    hopeless, _ = under(load, lambda _: 2 * MS)
    assert hopeless.num_queries < 2000
    borne, _ = under(load, lambda _: MS // 2)
    assert borne.num_queries > 19_000


def test_a_system_that_fails_is_given_up_and_one_that_stumbles_is_not():
    clock = SimulatedClock()

    def fails_after(limit, every):
        calls = []

        def answer(samples):
            calls.append(samples)
            clock.work(MS)
            if len(calls) > limit and len(calls) % every == 0:
                raise RuntimeError("out of\nmemory")

        return answer

    dead = drive(Load(10), Inline(fails_after(100, 1), clock), clock, num_loaded=3)
    assert (dead.has_died, dead.num_queries, int(dead.failed.sum())) == (True, 120, 20)
    assert dead.first_failure == "RuntimeError: out of memory"
    stumbling = drive(Load(1), Inline(fails_after(0, 10), clock), clock, num_loaded=3)
    assert (stumbling.has_died, int(stumbling.failed.sum())) == (False, 100)
    assert stumbling.percentile_ms(0.5) == 1
    assert stumbling.percentile_ms(0.99) is None
    assert stumbling.samples_per_s == pytest.approx(900)


def test_it_stops_when_it_is_told_to():
    asked = []
    timings, _ = under(Load(100), lambda _: MS, should_stop=lambda: asked.append(1) or len(asked) > 7)
    assert timings.num_queries == 7


def test_samples_are_drawn_evenly_and_follow_from_the_seed():
    orders = [SampleOrder(8, seed=3, drawn_at_once=100) for _ in range(2)]
    drawn = np.concatenate([orders[0].next(7) for _ in range(4000)])
    assert (drawn == np.concatenate([orders[1].next(7) for _ in range(4000)])).all()
    assert stats.chisquare(np.bincount(drawn, minlength=8)).pvalue > 0.001


def test_threads_answer_every_query_once():
    seen, clock = [], MachineClock()
    workers = Threads([lambda samples: seen.append(int(samples[0]))] * 3, clock)
    try:
        timings = drive(Load(0.02, min_queries=300, rate=20_000), workers, clock, num_loaded=1000)
        wanted = SampleOrder(1000, seed=0).next(timings.num_queries)
    finally:
        workers.close()
    assert sorted(seen) == sorted(wanted.tolist())
    assert (timings.done >= timings.issued).all()
    assert (timings.issued >= timings.scheduled).all()


def test_what_waits_is_dropped_when_it_is_stopped():
    clock, gate, sent = MachineClock(), threading.Event(), []

    def answer(samples):
        gate.wait(5)

    def stop():
        sent.append(1)
        if len(sent) > 50:
            # the one that is under way ends after whoever sends has heard
            threading.Timer(0.3, gate.set).start()
        return len(sent) > 50

    workers = Threads([answer], clock)
    try:
        timings = drive(Load(1.0, rate=100_000), workers, clock, num_loaded=3, should_stop=stop)
    finally:
        workers.close()
    assert timings.num_queries < 50


def test_threads_hold_back_a_stream():
    clock = MachineClock()
    workers = Threads([lambda samples: None] * 2, clock, depth=2)
    try:
        timings = drive(Load(0.01, min_queries=50, samples_per_query=4), workers, clock, num_loaded=10)
    finally:
        workers.close()
    assert timings.num_queries >= 50
    assert not timings.failed.any()


def test_rounds_are_joined_without_pauses():
    parts = [under(Load(0.1), lambda _: MS)[0] for _ in range(3)]
    whole = joined(parts)
    assert whole.num_queries == sum(part.num_queries for part in parts)
    assert whole.seconds == pytest.approx(sum(part.seconds for part in parts))
    assert (np.diff(whole.scheduled) > 0).all()


def test_timings_are_kept_in_a_file(tmp_path):
    timings, _ = under(Load(0.05, samples_per_query=3), lambda _: MS)
    np.savez(tmp_path / "t.npz", **timings.arrays())
    with np.load(tmp_path / "t.npz") as arrays:
        again = Timings.from_arrays(arrays)
    for name, array in timings.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
