"""Working at a trial that may have to be left to another trainer."""

import pytest

from pomona.fit.trials.held import held
from pomona.fit.trials.memory import MemoryStore
from pomona.fit.trials.trial import Proposal
from pomona.foundation.errors import Interrupted, RunError
from pomona.foundation.run import temporary_run


@pytest.fixture
def run():
    with temporary_run() as made:
        yield made


def test_an_interrupted_trial_waits_for_the_next_trainer(run):
    store = MemoryStore()
    trial = store.claim(Proposal({}, "a"))
    with pytest.raises(Interrupted), held(trial, store, run):
        raise Interrupted("stopped")
    assert [known.state for known in store.all()] == ["waiting"]


def test_a_trial_that_another_trainer_has_by_now_is_let_go(run):
    store = MemoryStore()
    trial = store.claim(Proposal({}, "a"))
    with held(trial, store, run):
        store._own.clear()
        raise RunError("trial 0 was given to another trainer")
    assert [known.state for known in store.all()] == ["running"]


def test_other_errors_go_through_and_so_do_interrupts_of_a_lost_trial(run):
    store = MemoryStore()
    trial = store.claim(Proposal({}, "a"))
    with pytest.raises(RunError, match="disk"), held(trial, store, run):
        raise RunError("the disk is full")
    store.finish(trial.number, 1.0, {})
    with pytest.raises(Interrupted), held(trial, store, run):
        raise Interrupted("stopped")
    assert [known.state for known in store.all()] == ["completed"]
