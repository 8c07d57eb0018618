"""Many processes on one store: nothing lost, nothing twice, whoever dies whenever."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter

import pytest

from pomona.fit.trials.optuna_store import OptunaStore
from pomona.fit.trials.pulse import pulse
from pomona.fit.trials.trial import Proposal
from pomona.foundation.errors import RunError

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'trials.sqlite'}"
    return request.getfixturevalue("postgresql")


@pytest.fixture
def open_store(tmp_path, url):
    opened = []

    def make(**changes):
        opened.append(OptunaStore(tmp_path, url=url, **changes))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def proposal(name="a", **changes):
    return Proposal({"name": name}, name, **changes)


def work(folder, url, trainer, num_trials, seconds, grace_s):
    """Claims and finishes trials, all of them drawn from few genomes, until there are so many."""
    store = OptunaStore(folder, url=url, trainer=trainer, grace_s=grace_s)
    draw = random.Random(trainer)
    with pulse(store, every_s=grace_s / 5):
        while True:
            store.reap(alone=False)
            trials = store.all()
            if sum(trial.finished is not None for trial in trials) >= num_trials:
                return
            store.limit(num_trials)
            trial = store.claim_waiting() or store.claim(proposal(str(draw.randrange(num_trials * 2))))
            if trial is None:
                time.sleep(0.02)
                continue
            store.report(trial.number, 1, 0.5)
            time.sleep(seconds * draw.random())
            store.finish(trial.number, float(trial.genome_hash), {"a": 1.0}, {"by": trainer})


def start(trainer, folder, url, num_trials, seconds=0.0, grace_s=30.0):
    process = SPAWN.Process(target=work, args=(folder, url, trainer, num_trials, seconds, grace_s))
    process.start()
    return process


def check_whole(trials, num_trials):
    assert [trial.number for trial in trials] == list(range(num_trials))
    assert Counter(trial.state for trial in trials) == {"completed": num_trials}
    assert max(Counter((trial.genome_hash, trial.seed) for trial in trials).values()) == 1
    assert all(trial.score == float(trial.genome_hash) for trial in trials)


def test_four_trainers_lose_nothing_and_try_nothing_twice(tmp_path, url, open_store):
    store = open_store()
    processes = [start(f"trainer {n}", tmp_path, url, 24) for n in range(4)]
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    check_whole(store.all(), 24)


def test_killed_trainers_lose_no_finished_trial_and_block_none(tmp_path, url, open_store):
    store = open_store()
    processes = {f"trainer {n}": start(f"trainer {n}", tmp_path, url, 16, 0.4, 2.0) for n in range(3)}
    draw, kept = random.Random(0), set()
    for killed in range(4):
        time.sleep(1.0)
        finished = {(t.number, t.score, t.finished) for t in store.all() if t.state == "completed"}
        assert kept <= finished
        kept = finished
        name = draw.choice(sorted(processes))
        os.kill(processes.pop(name).pid, signal.SIGKILL)
        again = f"trainer {3 + killed}"
        processes[again] = start(again, tmp_path, url, 16, 0.4, 2.0)
    for process in processes.values():
        process.join(120)
    assert [process.exitcode for process in processes.values()] == [0] * 3
    check_whole(store.all(), 16)


def test_a_trial_whose_trainer_is_known_to_be_dead_is_given_on_at_once(open_store):
    dead, living, other = (open_store(trainer=name) for name in ("dead", "living", "other"))
    lost = dead.claim(proposal("a")).number
    kept = living.claim(proposal("b")).number
    assert [trial.number for trial in other.reap(alone=False, dead=["dead"])] == [lost]
    assert other.claim_waiting().number == lost
    assert living.holds(kept)
    assert other.claim_waiting() is None


def test_who_was_silent_for_too_long_cannot_write_to_the_trial_of_another(open_store):
    slow, quick = open_store(trainer="slow", grace_s=-1.0), open_store(trainer="quick", grace_s=-1.0)
    number = slow.claim(proposal()).number
    quick.reap(alone=False)
    assert quick.claim_waiting().number == number
    assert not slow.holds(number)
    for change in (
        lambda: slow.heartbeat(number),
        lambda: slow.finish(number, 1.0, {}),
        lambda: slow.report(number, 1, 1.0),
        lambda: slow.release(number),
    ):
        with pytest.raises(RunError, match="another trainer"):
            change()
    assert quick.finish(number, 2.0, {}).score == 2.0


def test_a_heartbeat_keeps_a_trial_through_a_long_step(open_store):
    store, other = open_store(trainer="busy"), open_store(trainer="other", grace_s=0.8)
    number = store.claim(proposal()).number
    with pulse(store, every_s=0.1):
        time.sleep(1.5)
        assert other.reap(alone=False) == ()
    time.sleep(1.5)
    assert [trial.number for trial in other.reap(alone=False)] == [number]


@pytest.mark.parametrize("method", ["_storage.create_new_trial", "_claims.name_trial", "_run"])
def test_whoever_dies_while_claiming_leaves_the_genome_to_the_others(open_store, monkeypatch, method):
    dying, other = open_store(trainer="dying"), open_store(trainer="other", grace_s=-1.0)
    owner = dying
    *path, name = method.split(".")
    for step in path:
        owner = getattr(owner, step)

    def die(*_):
        raise SystemError

    monkeypatch.setattr(owner, name, die)
    with pytest.raises(SystemError):
        dying.claim(proposal())
    other.reap(alone=False)
    found = other.claim_waiting() or other.claim(proposal())
    assert found is not None
    assert found.genome_hash == "a"
    other.finish(found.number, 1.0, {})
    assert [trial.state for trial in other.all()] == ["completed"]


def test_a_claim_without_a_trial_does_not_count_for_the_limit(open_store, monkeypatch):
    dying, other = open_store(trainer="dying"), open_store(trainer="other", grace_s=-1.0)

    def die(*_):
        raise SystemError

    monkeypatch.setattr(dying._storage, "create_new_trial", die)
    with pytest.raises(SystemError):
        dying.claim(proposal("a"))
    other.limit(1)
    assert other.claim(proposal("b")) is not None
    assert other.claim(proposal("a")) is None


def test_a_claim_without_a_trial_is_waited_for_until_its_trainer_is_known_to_be_dead(open_store, monkeypatch):
    dying, other = open_store(trainer="dying"), open_store(trainer="other")

    def die(*_):
        raise SystemError

    monkeypatch.setattr(dying._storage, "create_new_trial", die)
    with pytest.raises(SystemError):
        dying.claim(proposal())
    assert other.claim(proposal()) is None
    assert other.is_promised()
    other.reap(alone=False)
    assert other.is_promised()
    other.reap(alone=False, dead=["dying"])
    assert not other.is_promised()
    assert other.claim(proposal()) is not None


def test_a_trial_that_ended_since_it_was_seen_waiting_is_not_begun_again(open_store, monkeypatch):
    quick, late = open_store(trainer="quick"), open_store(trainer="late")
    number = quick.claim(proposal()).number
    quick.release(number)
    seen = late.all()
    assert quick.claim_waiting().number == number
    quick.finish(number, 1.0, {})
    monkeypatch.setattr(late, "all", lambda: seen)
    assert late.claim_waiting() is None
    assert quick.all()[0].state == "completed"


def test_a_genome_that_was_claimed_again_meanwhile_is_not_trained_twice(open_store, monkeypatch):
    slow, other = open_store(trainer="slow"), open_store(trainer="other", grace_s=-1.0)
    create = slow._storage.create_new_trial

    def create_late(*arguments):
        assert other.claim(proposal()) is not None
        return create(*arguments)

    monkeypatch.setattr(slow._storage, "create_new_trial", create_late)
    assert slow.claim(proposal()) is None
    assert [trial.state for trial in other.all()] == ["running", "pruned"]


def test_leading_is_noticed_until_it_ends(open_store):
    leader, other = open_store(trainer="leader"), open_store(trainer="other")
    assert not other.is_led()
    leader.lead()
    assert other.is_led()
    assert not open_store(trainer="third", grace_s=-1.0).is_led()


def test_optuna_itself_reads_the_trials(url, open_store):
    import optuna

    store = open_store(study="seen")
    store.finish(store.claim(proposal("b")).number, 0.5, {})
    store.finish(store.claim(proposal("c")).number, 0.75, {})
    address = url.replace("postgresql://", "postgresql+psycopg://")
    study = optuna.load_study(study_name="seen", storage=address)
    assert study.best_value == 0.75
    assert study.best_trial.user_attrs["genome_hash"] == "c"
    assert list(study.trials_dataframe()["number"]) == [0, 1]
