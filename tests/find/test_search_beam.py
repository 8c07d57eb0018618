"""The beam widens with the number of completed trials and picks its members evenly."""

import numpy as np

from pomona.find.search.beam import choose_parent, current_width
from pomona.fit.trials import MemoryStore, Proposal


def store_of(scores):
    store = MemoryStore()
    for position, score in enumerate(scores):
        number = store.claim(Proposal({}, str(position))).number
        store.finish(number, score, {})
    return store


def parents(scores, draws=400, **settings):
    trials = store_of(scores).all()
    generator = np.random.default_rng(0)
    return [choose_parent(trials, generator, **settings).number for _ in range(draws)]


def test_it_starts_greedy_and_widens_to_its_limit():
    widths = [current_width(completed, beam_width=3, widen_every=10) for completed in (1, 9, 10, 19, 20, 500)]
    assert widths == [1, 1, 2, 2, 3, 3]


def test_the_first_parent_is_always_the_best_trial():
    assert set(parents([0.2, 0.9, 0.4], beam_width=5, widen_every=10)) == {1}


def test_every_member_of_the_beam_is_as_likely():
    chosen = parents([0.1, 0.9, 0.8, 0.7, 0.2], beam_width=3, widen_every=1)
    counts = np.bincount(chosen, minlength=5)
    assert set(np.flatnonzero(counts)) == {1, 2, 3}
    assert counts[1:4].min() > 400 / 3 * 0.75


def test_failed_trials_are_no_parents():
    store = store_of([float("nan"), float("nan")])
    assert choose_parent(store.all(), np.random.default_rng(0), beam_width=2, widen_every=1) is None
