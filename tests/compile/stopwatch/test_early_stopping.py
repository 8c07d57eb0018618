"""The statistics that end a run early: closed forms, brute force, and MLPerf's own load generator."""

import json
from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.compile.stopwatch.early_stopping import latency_bound, most_over, queries_needed

RECORDED = np.load(Path(__file__).parents[2] / "oracles" / "loadgen.npz")

TABLE = {
    0.90: (44, 64, 81, 197),
    0.95: (90, 130, 165, 398),
    0.97: (152, 219, 277, 667),
    0.99: (459, 662, 838, 2010),
    0.999: (4603, 6636, 8403, 20140),
}


@pytest.mark.parametrize("share", TABLE)
def test_the_published_numbers_of_queries(share):
    assert tuple(queries_needed(over, share) for over in (0, 1, 2, 10)) == TABLE[share]


def test_the_example_of_the_load_generators_documentation():
    assert most_over(1689, 0.9) == 140


def test_the_smallest_number_by_exact_fractions():
    slow = Fraction(1, 10)
    for over in range(4):
        number = queries_needed(over, 0.9)
        for count, is_enough in ((number, True), (number - 1, False)):
            chance = sum(comb(count, k) * slow**k * (1 - slow) ** (count - k) for k in range(over + 1))
            assert (chance <= Fraction(1, 100)) == is_enough


@given(st.integers(0, 3000), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_most_over_is_the_inverse_of_queries_needed(count, share):
    allowed = most_over(count, share)
    if allowed is None:
        assert count < queries_needed(0, share)
    else:
        assert queries_needed(allowed, share) <= count < queries_needed(allowed + 1, share)


def test_the_claim_holds_as_often_as_it_says():
    generator = np.random.default_rng(0)
    runs = generator.exponential(size=(500, 400))
    truth = -np.log(0.1)
    bounds = np.array([latency_bound(run, 0.9) for run in runs])
    assert (bounds >= truth).mean() >= 0.98


def test_too_few_queries_claim_nothing():
    assert latency_bound(np.arange(63.0), 0.9) is None
    assert latency_bound(np.arange(64.0), 0.9) == 63
    assert latency_bound(np.arange(44.0), 0.9, spare=0) == 43


def test_failed_queries_are_slower_than_all():
    latencies = np.concatenate([np.ones(990), np.full(10, np.inf)])
    assert latency_bound(latencies, 0.9) == 1
    assert latency_bound(latencies, 0.99) == np.inf


@pytest.mark.parametrize(
    ("name", "share", "key"), [("single", 0.9, "ss"), ("single", 0.99, "ms"), ("multi", 0.99, "ms")]
)
def test_the_load_generators_estimate_of_the_same_latencies(name, share, key):
    wanted = json.loads(str(RECORDED[f"{name}/results"]))[f"early_stopping_latency_{key}"]
    assert latency_bound(RECORDED[f"{name}/latency_ns"], share) == wanted
