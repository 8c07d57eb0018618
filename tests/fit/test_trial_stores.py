"""One battery for every store of trials, and what only a store on disk can promise."""

import multiprocessing
import os
import signal

import pytest

from pomona.fit.trials.memory import MemoryStore
from pomona.fit.trials.optuna_store import OptunaStore
from pomona.fit.trials.store import MAX_ATTEMPTS
from pomona.fit.trials.trial import Proposal
from pomona.foundation.errors import RunError

GENOME = {"blocks": [{"id": "a", "args": {"width": 64}}], "training": {"learning_rate": 1e-3}}


def proposal(name="a", **changes):
    return Proposal(**{"genome": GENOME, "genome_hash": name, **changes})


@pytest.fixture(params=["memory", "optuna"])
def store(request, tmp_path):
    if request.param == "memory":
        yield MemoryStore(tmp_path)
        return
    made = OptunaStore(tmp_path)
    yield made
    made.close()


def die(store):
    """Leaves the running trials of `store` as the death of its trainer would."""
    if isinstance(store, MemoryStore):
        store._own.clear()
    else:
        store._claims.trainer = store.trainer = f"{store.trainer}+"


def test_a_claimed_trial_holds_the_proposal_and_runs(store):
    given = proposal(seed=2**62 + 1, parents=(3, 1), mutation="widened a", attributes={"note": [1, None]})
    trial = store.claim(given)
    assert trial.state == "running"
    assert trial.number == 0
    assert trial.attempts == 1
    kept = Proposal(
        trial.genome, trial.genome_hash, trial.seed, trial.parents, trial.mutation, trial.attributes
    )
    assert kept == given
    assert store.all() == (trial,)


def test_no_genome_is_claimed_twice_with_one_seed(store):
    first = store.claim(proposal("a"))
    assert store.claim(proposal("a")) is None
    again = store.claim(proposal("a", seed=1))
    assert store.by_genome_hash("a") == (first, again)
    assert store.by_genome_hash("b") == ()


def test_a_finished_trial_keeps_score_values_attributes_and_reports(store):
    number = store.claim(proposal(attributes={"before": 1})).number
    store.report(number, 10, 0.25)
    store.report(number, 20, 0.5)
    store.heartbeat(number)
    trial = store.finish(number, 0.75, {"accuracy": 0.75, "nll": 0.5}, {"parameters": 12})
    assert (trial.state, trial.score, trial.values) == ("completed", 0.75, {"accuracy": 0.75, "nll": 0.5})
    assert trial.attributes == {"before": 1, "parameters": 12}
    assert trial.reports == {10: 0.25, 20: 0.5}
    assert trial.seconds >= 0
    assert store.all() == (trial,)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_number_fails_the_trial_and_never_wins(store, score):
    good = store.claim(proposal("a")).number
    bad = store.claim(proposal("b")).number
    store.finish(good, 0.1, {})
    assert store.finish(bad, score, {"loss": 1.0}).state == "failed"
    assert [trial.number for trial in store.top_k(5)] == [good]


def test_top_k_is_sorted_by_score_and_then_by_age(store):
    for name, score in zip("abcd", (0.5, 0.9, 0.5, 0.7), strict=True):
        store.finish(store.claim(proposal(name)).number, score, {})
    store.prune(store.claim(proposal("e")).number, "too slow")
    store.claim(proposal("f"))
    assert [trial.number for trial in store.top_k(3)] == [1, 3, 0]
    assert [trial.number for trial in store.top_k(9)] == [1, 3, 0, 2]


def test_failed_and_pruned_trials_say_why(store):
    failed = store.fail(store.claim(proposal("a")).number, "ran out of memory")
    pruned = store.prune(store.claim(proposal("b")).number, "over 100 parameters")
    assert (failed.state, failed.attributes["reason"]) == ("failed", "ran out of memory")
    assert (pruned.state, pruned.attributes["reason"]) == ("pruned", "over 100 parameters")
    assert failed.score is None


def test_a_trial_that_does_not_run_is_not_changed(store):
    number = store.claim(proposal()).number
    store.finish(number, 1.0, {})
    for change in (
        lambda: store.finish(number, 2.0, {}),
        lambda: store.fail(number, "late"),
        lambda: store.report(number, 1, 1.0),
        lambda: store.heartbeat(number),
    ):
        with pytest.raises(RunError, match="completed"):
            change()
    with pytest.raises(RunError, match="no trial 7"):
        store.heartbeat(7)


def test_a_dead_trainers_trial_waits_for_the_next_with_its_number_and_files(store):
    number = store.claim(proposal()).number
    store.add_artifact(number, "checkpoint", b"half-way")
    assert store.reap(alone=True) == (), "a trainer never reaps its own trial"
    die(store)
    assert store.reap(alone=False) == (), "the last heartbeat is fresh"
    assert [trial.state for trial in store.reap(alone=True)] == ["waiting"]
    assert store.claim(proposal()) is None, "a waiting genome is in the store"
    again = store.claim_waiting()
    assert (again.number, again.attempts, again.genome) == (number, 2, GENOME)
    assert store.path(number, "checkpoint").read_bytes() == b"half-way"
    assert store.claim_waiting() is None


def test_a_trial_that_kills_every_trainer_is_failed_in_the_end(store):
    store.claim(proposal())
    for _ in range(MAX_ATTEMPTS - 1):
        die(store)
        store.reap(alone=True)
        store.claim_waiting()
    die(store)
    assert [trial.state for trial in store.reap(alone=True)] == ["failed"]
    assert store.claim_waiting() is None


def test_silent_trainers_are_reaped_after_the_grace_period(tmp_path):
    store = MemoryStore(tmp_path, grace_s=-1.0)
    store.claim(proposal())
    die(store)
    assert [trial.state for trial in store.reap(alone=False)] == ["waiting"]


def test_silence_is_measured_by_the_clock_of_the_database(tmp_path):
    from sqlalchemy import text

    store = OptunaStore(tmp_path)
    store.claim(proposal())
    die(store)
    with store._database.engine.begin() as connection:
        connection.execute(text("update pomona_claims set beat = beat - 61"))
    assert [trial.state for trial in store.reap(alone=False)] == ["waiting"]
    store.close()


def test_a_released_trial_waits_and_its_attempt_does_not_count(store):
    number = store.claim(proposal()).number
    released = store.release(number)
    assert (released.state, released.attempts) == ("waiting", 0)
    assert not store.holds(number)
    assert store.claim_waiting().attempts == 1
    assert store.holds(number)


def test_no_trial_is_claimed_above_the_limit(store):
    store.limit(2)
    store.claim(proposal("a"))
    store.prune(store.claim(proposal("b")).number, "too large")
    assert store.claim(proposal("c")) is None
    store.limit(None)
    assert store.claim(proposal("c")) is not None


def test_artifacts_are_kept_by_trial_and_may_be_replaced(store):
    number = store.claim(proposal()).number
    path = store.add_artifact(number, "weights", b"one")
    assert path == store.path(number, "weights")
    store.add_artifact(number, "weights", b"two")
    assert path.read_bytes() == b"two"
    assert not store.path(number, "absent").exists()


def test_a_reopened_store_holds_everything(tmp_path):
    store = OptunaStore(tmp_path)
    number = store.claim(proposal("a", parents=(7,), mutation="x")).number
    store.report(number, 5, 0.5)
    store.finish(number, 0.5, {"accuracy": 0.5}, {"parameters": 3})
    store.fail(store.claim(proposal("b")).number, "no")
    before = store.all()
    store.close()
    again = OptunaStore(tmp_path)
    assert again.all() == before
    assert again.claim(proposal("a")) is None
    again.close()


def claim_and_hang(folder, ready):
    store = OptunaStore(folder)
    store.finish(store.claim(proposal("done")).number, 1.0, {})
    store.claim(proposal("lost"))
    ready.set()
    signal.pause()


def test_a_killed_process_loses_no_finished_trial_and_its_own_is_tried_again(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=claim_and_hang, args=(tmp_path, ready))
    process.start()
    assert ready.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    store = OptunaStore(tmp_path)
    assert [trial.state for trial in store.all()] == ["completed", "running"]
    assert [trial.genome_hash for trial in store.reap(alone=True)] == ["lost"]
    assert store.claim_waiting().attempts == 2
    store.close()


def test_a_file_that_is_no_database_of_trials_is_refused_in_one_line(tmp_path):
    (tmp_path / "trials.sqlite").write_text("not a database at all, " * 100)
    with pytest.raises(RunError, match="is not a database of trials") as caught:
        OptunaStore(tmp_path)
    assert "\n" not in str(caught.value)


def test_optuna_stays_unloaded_until_a_store_is_opened():
    import subprocess
    import sys

    code = "import pomona.fit.trials.optuna_store, sys; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
