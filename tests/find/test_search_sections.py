"""Sections of the report: fronts against brute force, places, families, and that the page takes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.find.search.finalists import Finalist
from pomona.find.search.leaders import Standing, standings
from pomona.find.search.pareto import Unbeaten
from pomona.find.search.pruning import REASON
from pomona.find.search.sections import (
    finalists_section,
    leaderboard_section,
    leaders_section,
    lineage_section,
    pareto_front,
    pareto_section,
    progress_section,
    pruning_section,
    tradeoff_section,
)
from pomona.find.search.yardstick import Yardstick
from pomona.fit.trials import MemoryStore, Proposal
from pomona.foundation.report.reading import check_section

YARDSTICK = Yardstick("accuracy", greater_is_better=True, num_examples=100)


@pytest.fixture
def trials():
    store = MemoryStore()
    for number, (parents, accuracy) in enumerate(
        [((), 0.8), ((0,), 0.7), ((0,), 0.9), ((2,), None), ((2,), 0.85)]
    ):
        trial = store.claim(Proposal({}, str(number), parents=parents, mutation=f"change {number}"))
        if accuracy is None:
            store.fail(trial.number, "the loss was no longer finite")
            continue
        values = {"accuracy": accuracy, "nll": 1 - accuracy}
        size = {"parameters": 100 * (number + 1), "seconds": 1.5, "inherited": 0.5 if parents else 0.0}
        store.finish(trial.number, accuracy, values, size)
    store.prune(store.claim(Proposal({}, "big")).number, "900 parameters, more than 800")
    return store.all()


def test_every_section_is_one_that_the_report_takes(trials):
    sections = {
        "finalists": finalists_section([Finalist(trials[2], trials[:2]), Finalist(trials[0], ())], YARDSTICK),
        "leaderboard": leaderboard_section(
            trials, YARDSTICK, winner=2, baseline=("support vectors", 0.82), latencies={2: 0.1}
        ),
        "progress": progress_section(trials, YARDSTICK),
        "lineage": lineage_section(trials, YARDSTICK),
        "tradeoff": tradeoff_section(trials, YARDSTICK, {0: 0.2, 2: 0.1}),
        "leaders": leaders_section(standings(trials, YARDSTICK), YARDSTICK),
        "pareto": pareto_section([unbeaten(2, 0.9, 300.0), unbeaten(0, 0.8, 100.0)], YARDSTICK),
        "pruning": pruning_section(ended_early(), "median"),
    }
    for name, items in sections.items():
        assert items
        check_section({"title": name, "lead": "", "items": items}, name)


def unbeaten(number, accuracy, parameters):
    standing = Standing(number, accuracy, accuracy, (accuracy - 0.1, accuracy + 0.1), 2)
    return Unbeaten(standing, {"score": accuracy, "parameters": parameters})


def ended_early():
    """Two trainings with reports, of which one ended after a quarter."""
    store = MemoryStore()
    for number, parts in enumerate((8, 2)):
        trial = store.claim(Proposal({}, str(number)))
        for part in range(1, parts + 1):
            store.report(trial.number, part, 0.1 * part)
        if parts == 8:
            store.finish(trial.number, 0.8, {"accuracy": 0.8})
        else:
            store.prune(trial.number, f"{REASON} after 2/8 by the median pruner")
    return store.all()


def test_what_pruning_spared_is_told():
    figures, _, listed = pruning_section(ended_early(), "median")
    assert [figure["value"] for figure in figures["values"]] == [1, 0.75 / 2]
    assert listed["rows"][0][:2] == ["1", "2/8"]


def test_leaders_are_sorted_by_what_is_expected_and_not_by_luck():
    store = MemoryStore()
    for key, scores in {"lucky": (0.99, 0.6, 0.62), "good": (0.9, 0.9, 0.91)}.items():
        for seed, score in enumerate(scores):
            number = store.claim(Proposal({}, key, seed=seed)).number
            store.finish(number, score, {"accuracy": score})
    _, board, _ = leaders_section(standings(store.all(), YARDSTICK), YARDSTICK)
    assert [row[0] for row in board["rows"]] == ["3", "0"]
    for _, expected, low, high, _, seeds in board["rows"]:
        assert 0 <= low <= expected <= high <= 1
        assert seeds == 3


def test_the_leaderboard_is_sorted_with_the_baseline_in_its_place_and_says_what_failed(trials):
    board, ended = leaderboard_section(
        trials, YARDSTICK, winner=2, baseline=("support vectors", 0.82), latencies={}
    )
    assert [row[0] for row in board["rows"]] == ["2", "4", "baseline: support vectors", "0", "1"]
    assert board["highlight"] == 0
    assert [(row[0], row[1]) for row in ended["rows"]] == [("3", "failed"), ("5", "pruned")]


def test_the_best_so_far_never_falls(trials):
    line, points = progress_section(trials, YARDSTICK)
    assert line["series"][0]["y"] == [0.8, 0.8, 0.9, 0.9]
    assert [point["x"] for point in points["points"]] == [0, 1, 2, 4]
    lower = Yardstick("accuracy", greater_is_better=False, num_examples=100)
    assert progress_section(trials, lower)[0]["series"][0]["y"] == [0.8, 0.7, 0.7, 0.7]


def test_the_family_tree_knows_all_parents(trials):
    (tree,) = lineage_section(trials, YARDSTICK)
    assert {node["id"]: node["parent"] for node in tree["nodes"]} == {
        "0": None, "1": "0", "2": "0", "3": "2", "4": "2", "5": None,
    }  # fmt: skip
    assert tree["nodes"][3]["value"] is None
    assert "50% of its weights inherited" in tree["nodes"][4]["detail"]


values = st.integers(0, 6).map(float)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=12))
def test_the_front_is_what_no_other_point_beats(points):
    costs, gains = [cost for cost, _ in points], [gain for _, gain in points]
    front = pareto_front(costs, gains)

    def beats(a, b):
        return costs[a] <= costs[b] and gains[a] >= gains[b] and (costs[a], gains[a]) != (costs[b], gains[b])

    unbeaten = {points[i] for i in range(len(points)) if not any(beats(j, i) for j in range(len(points)))}
    assert {points[i] for i in front} == unbeaten
    assert len(front) == len(unbeaten)
    assert np.all(np.diff([costs[i] for i in front]) > 0)
