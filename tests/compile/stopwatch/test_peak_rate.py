"""The search of the highest rate."""

import pytest
from simulation import MS, SimulatedClock

from pomona.compile.stopwatch.drive import Load, drive
from pomona.compile.stopwatch.peak import highest_rate
from pomona.compile.stopwatch.scenarios import SCENARIOS
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.validity import bears
from pomona.compile.stopwatch.workers import Inline


@pytest.mark.parametrize("limit", [0.01, 3.7, 1000, 123_456])
@pytest.mark.parametrize("start", [1, 1000])
def test_the_rate_is_found_wherever_the_search_starts(limit, start):
    asked = []
    found = highest_rate(lambda rate: asked.append(rate) or rate <= limit, start)
    assert limit / 1.021 <= found <= limit
    assert len(asked) < 30


def test_a_system_that_bears_nothing_has_no_rate():
    assert highest_rate(lambda _: False, 100) is None


def test_the_rate_of_a_queue_is_where_its_slowest_hundredth_meets_the_bound():
    """M/D/1 with 1 ms of service: 99 % of waits stay under 9 ms up to a load near 0.79 (Crommelin)."""
    settings = BenchSettings(scenario="server", latency_ms=10)

    def is_borne(rate):
        clock = SimulatedClock()
        load = Load(30, rate=rate, bound_ms=10, gives_up=True)
        timings = drive(load, Inline(lambda _: clock.work(MS), clock), clock, num_loaded=1)
        return bears(timings, settings, SCENARIOS["server"])

    found = highest_rate(is_borne, 100)
    assert found == pytest.approx(1000 * crommelin_load(9.0, 0.99), rel=0.06)


def crommelin_load(waits, share):
    """The load at which an M/D/1 queue has P(wait <= waits service times) = share."""
    from scipy.optimize import brentq

    return brentq(lambda load: crommelin(load, waits) - share, 0.3, 0.95)


def crommelin(load, waits):
    """P(wait <= waits) of M/D/1 with service time 1 (Crommelin 1932), summed with exact fractions' care."""
    from math import factorial

    from mpmath import exp, mpf

    load, waits = mpf(load), mpf(waits)
    terms = [
        (load * (k - waits)) ** k / factorial(k) * exp(-load * (k - waits)) for k in range(int(waits) + 1)
    ]
    return float((1 - load) * sum(terms))
