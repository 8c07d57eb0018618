import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pomona.compile.pipeline.bisection import bisected_cuts
from pomona.compile.pipeline.exact import exact_cuts
from pomona.compile.pipeline.splits import even_cuts
from pomona.foundation.errors import SettingError


def all_cuts(num_places, num_stages):
    for inner in itertools.combinations(range(1, num_places - 1), num_stages - 1):
        yield (0, *inner, num_places - 1)


def slowest(cost, cuts):
    return max(cost[a, b] for a, b in itertools.pairwise(cuts))


def any_costs(num_places, *, seed):
    """Costs that are not sums of anything; some stages are not allowed."""
    generator = np.random.default_rng(seed)
    cost = generator.uniform(1, 100, (num_places, num_places))
    return np.where(generator.random(cost.shape) < 0.15, np.inf, cost)


def sums(parts, crossing):
    total = np.r_[0, np.cumsum(parts)]
    return total[None, :] - total[:, None] + crossing[None, :] + crossing[:, None]


@given(st.integers(0, 10**6), st.integers(4, 8), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_dynamic_programming_finds_the_best_of_all_cuts_for_any_costs(seed, num_places, num_stages):
    num_stages = min(num_stages, num_places - 1)
    cost = any_costs(num_places, seed=seed)
    lesser = np.random.default_rng(seed + 1).uniform(0, 1, cost.shape)
    ways = list(all_cuts(num_places, num_stages))
    best = min(slowest(cost, way) for way in ways)
    if np.isinf(best):
        with pytest.raises(SettingError, match="within the memory"):
            exact_cuts(cost, num_stages, lesser=lesser)
        return
    found = exact_cuts(cost, num_stages, lesser=lesser)
    assert found in ways
    assert slowest(cost, found) == best
    ties = [way for way in ways if slowest(cost, way) == best]
    assert sum_of(lesser, found) == pytest.approx(min(sum_of(lesser, way) for way in ties))


def sum_of(cost, cuts):
    return sum(cost[a, b] for a, b in itertools.pairwise(cuts))


@given(st.integers(0, 10**6), st.integers(4, 8), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_bisection_is_within_its_threshold_of_the_best_for_any_costs(seed, num_places, num_stages):
    num_stages = min(num_stages, num_places - 1)
    cost = any_costs(num_places, seed=seed)
    best = min(slowest(cost, way) for way in all_cuts(num_places, num_stages))
    start = next(all_cuts(num_places, num_stages))

    def bisect():
        return bisected_cuts(
            lambda a, b: float(cost[a, b]), num_places, num_stages, start=start, threshold_us=0.01
        )

    if np.isinf(best):
        with pytest.raises(SettingError, match="within the memory"):
            bisect()
    else:
        assert slowest(cost, bisect()) <= best + 0.01


def test_bisection_from_an_equal_split_meets_dynamic_programming_on_sums():
    generator = np.random.default_rng(0)
    parts, crossing = generator.lognormal(3, 1, 60), np.r_[0, generator.uniform(0, 5, 59), 0]
    cost = sums(parts, crossing)
    asked = set()

    def timed(a, b):
        asked.add((a, b))
        return float(cost[a, b])

    for num_stages in (2, 4, 8):
        exact = exact_cuts(cost, num_stages, lesser=cost)
        start = even_cuts(np.arange(61.0), num_stages)
        found = bisected_cuts(timed, 61, num_stages, start=start, threshold_us=0.5)
        assert slowest(cost, found) <= slowest(cost, exact) + 0.5
        assert slowest(cost, exact) < slowest(cost, start)
        asked.clear()
        guessed = bisected_cuts(
            timed,
            61,
            num_stages,
            start=exact,
            threshold_us=0.5,
            guess=cost,
            slack=0.02,
        )
        assert slowest(cost, guessed) <= slowest(cost, exact)
        # of 1830 parts few are timed when a guess says where to look
        assert len(asked) < 250


def test_bisection_stops_when_it_is_told_to_and_keeps_what_it_has():
    cost = sums(np.arange(1.0, 11), np.zeros(11))
    start = (0, 9, 10)
    stopped = bisected_cuts(
        lambda a, b: float(cost[a, b]), 11, 2, start=start, threshold_us=0.1, should_stop=lambda: True
    )
    assert stopped == start


def test_a_dearer_crossing_moves_the_cut():
    parts, crossing = np.array([5.0, 5, 5, 5]), np.array([0.0, 0, 4, 0, 0])
    free = exact_cuts(sums(parts, np.zeros(5)), 2, lesser=np.zeros((5, 5)))
    assert free == (0, 2, 4)
    # 10 + 4 in the middle is less than 15 beside it; with 6 it is not
    assert exact_cuts(sums(parts, crossing), 2, lesser=np.zeros((5, 5))) == (0, 2, 4)
    assert exact_cuts(sums(parts, crossing * 1.5), 2, lesser=np.zeros((5, 5))) in ((0, 1, 4), (0, 3, 4))


def test_even_cuts_come_nearest_to_equal_shares_and_leave_no_stage_empty():
    assert even_cuts(np.array([0.0, 1, 2, 3, 4, 5, 6]), 3) == (0, 2, 4, 6)
    assert even_cuts(np.array([0.0, 0, 0, 0, 100]), 3) == (0, 1, 2, 4)
    assert even_cuts(np.array([0.0, 100, 100, 100, 100]), 3) == (0, 1, 2, 4)
    with pytest.raises(SettingError, match="5 stages are wanted, the model can be cut into 4"):
        even_cuts(np.arange(5.0), 5)


def test_more_stages_than_parts_are_refused():
    with pytest.raises(SettingError, match="can be cut into 2"):
        exact_cuts(np.ones((3, 3)), 3, lesser=np.ones((3, 3)))
