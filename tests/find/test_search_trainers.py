"""A search by several trainers: real processes on real databases, killed and stopped."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import pytest

import pomona.find.search.explore as exploring
from pomona.find.search import proposals
from pomona.find.search.engine import search
from pomona.find.search.explore import explore
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.trainers import Origin, TrainerOptions
from pomona.find.search.trainers.assignment import Assignment, publish
from pomona.find.search.trainers.crew import Crew
from pomona.find.search.trainers.place import Place, find_place, place_of
from pomona.find.search.trainers.work import work
from pomona.fit.trials import OptunaStore
from pomona.foundation.errors import Interrupted, RunError, SettingError
from pomona.foundation.run import open_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks.load import load_task
from pomona.tasks.options import DataOptions

SMALL = SearchSettings(trials=6, steps=20, starts=2, finalists=1, finalist_seeds=2, ensemble_size=2)


def run_in(folder, **changes):
    return open_run(folder, **{"verb": "search", "subject": "wine", "identity": {}, "threads": 1, **changes})


def published_in(folder, settings=SMALL, *, subject="wine", store=None, grace=60.0):
    """The place of a search that trainers can join, and that nobody leads."""
    problem = make_problem(load_task("wine"), settings, BLOCKS)
    with run_in(folder) as run:
        place = place_of(run.folder, store)
        with place.stores() as (trials, _):
            publish(trials, place, problem, run, origin=Origin(subject), blocks=None, grace_s=grace)
    return place


def trials_of(place):
    with place.stores() as (store, _):
        return store.all()


def search_wine(folder, url):
    options = TrainerOptions(trainers=2, store=url, grace=10.0)
    try:
        with run_in(folder) as run:
            search(load_task("wine"), SMALL, run=run, trainers=options, origin=Origin("wine"))
    except Interrupted as stopped:
        sys.exit(stopped.exit_code)


def children(pid):
    answer = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(child) for child in answer.stdout.split()]


def wait_for(is_so, *, timeout_s=200):
    latest = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < latest
        time.sleep(0.05)


def wait_for_the_end_of(crew):
    wait_for(lambda: not any(trainer.is_alive() for trainer in crew.trainers.values()))


def test_only_two_vain_proposals_in_a_row_end_what_many_explore(tmp_path, monkeypatch):
    # a model that a dead trainer was promised may come free between being asked for and looking whether it is
    problem, proposed = make_problem(load_task("wine"), SMALL, BLOCKS), []

    def propose(problem, store, run):
        proposed.append(len(store.all()))
        is_vain = len(proposed) in vain
        return None if is_vain else proposals.propose(problem, store, run)

    monkeypatch.setattr(exploring, "propose", propose)
    for vain, together, num_trials in (((2, 4), True, SMALL.trials), ((3, 4), True, 2), ((3,), False, 2)):
        proposed.clear()
        folder = tmp_path / f"{vain} {together}"
        with run_in(folder) as run, closing(OptunaStore(folder / "trials")) as store:
            exploring.explore(problem, store, run, together=together)
            assert len(store.all()) == num_trials


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_two_trainers_search_to_a_result_though_one_is_killed(database, tmp_path, request):
    url = request.getfixturevalue("postgresql") if database == "postgresql" else None
    process = multiprocessing.get_context("spawn").Process(target=search_wine, args=(tmp_path / "run", url))
    process.start()
    wait_for(lambda: list((tmp_path / "run" / "trials").glob("*/weights.safetensors")))
    pids = [pid for pid in children(process.pid) if b"trainers.process" in cmdline(pid)]
    os.kill(pids[0], signal.SIGKILL)
    process.join(200)
    assert process.exitcode == 0
    assert (tmp_path / "run" / "artifact").is_dir()
    with place_of(tmp_path / "run").stores() as (store, finals_store):
        trials, repeats = store.all(), finals_store.all()
    assert [trial.state for trial in trials] == ["completed"] * SMALL.trials
    assert len({(trial.genome_hash, trial.seed) for trial in trials}) == SMALL.trials
    assert [trial.state for trial in repeats] == ["completed"] * 2
    assert {trial.trainer for trial in (*trials, *repeats)} <= {
        path.stem for path in (tmp_path / "run" / "trainers").glob("*.log")
    }


def cmdline(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


def test_an_interrupted_search_leaves_nothing_running_and_goes_on(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=search_wine, args=(tmp_path / "run", None))
    process.start()
    wait_for(lambda: list((tmp_path / "run" / "trials").glob("*/weights.safetensors")))
    pids = children(process.pid)
    os.kill(process.pid, signal.SIGINT)
    process.join(100)
    assert process.exitcode == Interrupted.exit_code
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    place = place_of(tmp_path / "run")
    assert "running" not in {trial.state for trial in trials_of(place)}
    before = {t.number: t.finished for t in trials_of(place) if t.state == "completed"}
    with run_in(tmp_path / "run") as run:
        search(load_task("wine"), SMALL, run=run)
    after = trials_of(place)
    assert {number: after[number].finished for number in before} == before
    assert sum(trial.state == "completed" for trial in after) == SMALL.trials


def work_with_many_checkpoints(plain):
    from pomona.find.search import training

    training.CHECKPOINT_SECONDS = 0.1
    work(Assignment.from_json(plain))


def test_a_killed_trainers_trial_goes_on_from_its_checkpoint_on_another_one(tmp_path, monkeypatch):
    settings = replace(SMALL, trials=1, steps=500)
    place = published_in(tmp_path / "run", settings, grace=0.5)
    process = multiprocessing.get_context("spawn").Process(
        target=work_with_many_checkpoints, args=(Assignment(place, "killed", 1).to_json(),)
    )
    process.start()
    wait_for(lambda: list((tmp_path / "run" / "checkpoints").glob("*/*.json")))
    process.kill()
    process.join()
    assert [(trial.state, trial.trainer) for trial in trials_of(place)] == [("running", "killed")]
    steps = []

    def latest(folder, *, identity):
        found = latest_checkpoint(folder, identity=identity)
        steps.append(found.step if found else 0)
        return found

    from pomona.fit import course

    latest_checkpoint = course.latest_checkpoint
    monkeypatch.setattr(course, "latest_checkpoint", latest)
    time.sleep(0.6)
    work(Assignment(place, "other", 1))
    resumed = trials_of(place)
    assert steps[0] > 0
    assert [(t.state, t.trainer, t.attempts) for t in resumed] == [("completed", "other", 2)]
    whole = published_in(tmp_path / "whole", settings)
    work(Assignment(whole, "only", 1))
    assert [trial.score for trial in trials_of(whole)] == [trial.score for trial in resumed]


def test_a_trainer_joins_by_the_folder_and_explores_what_is_left(tmp_path):
    place = published_in(tmp_path / "run", replace(SMALL, trials=2))
    answer = subprocess.run(
        [sys.executable, "-m", "pomona", "trainer", "--store", str(place.folder), "--threads", "1", "--json"],
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert (told["completed"], told["failed"]) == (2, 0)
    assert {trial.trainer for trial in trials_of(place)} == {told["trainer"]}
    assert "pomona search again" in answer.stderr


def test_a_database_names_its_searches_and_keeps_no_password(postgresql, tmp_path, monkeypatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    secret = postgresql.replace("pomona@", "pomona:se%20cret@")
    for name in ("a", "b"):
        published_in(tmp_path / name, store=secret)
    assert find_place(secret, search="a").folder == tmp_path / "a"
    assert os.environ["PGPASSWORD"] == "se cret"
    with pytest.raises(SettingError, match="holds: a, b"):
        find_place(postgresql)
    with pytest.raises(SettingError, match="holds: a, b"):
        find_place(postgresql, search="c")
    for path in (tmp_path / "a").rglob("*.json"):
        assert "cret" not in path.read_text()
    assert place_of(tmp_path / "a") == Place(tmp_path / "a", postgresql, "a/")


def test_a_search_does_not_change_its_database(tmp_path):
    place = published_in(tmp_path / "run")
    with pytest.raises(RunError, match="leave --store out"):
        place_of(place.folder, f"sqlite:///{tmp_path}/other.sqlite")
    moved = place_of(tmp_path / "new", f"sqlite:///{tmp_path}/shared.sqlite")
    assert place_of(tmp_path / "new") == moved
    with pytest.raises(RunError, match="not in"):
        place_of(tmp_path / "new", f"sqlite:///{tmp_path}/other.sqlite")


def test_a_trainer_with_other_data_is_refused(tmp_path):
    place = published_in(tmp_path / "run", subject="iris")
    with pytest.raises(RunError, match="other data"):
        work(Assignment(place, "stranger", 1))


def test_a_store_without_a_search_says_so(tmp_path):
    with run_in(tmp_path / "run") as run:
        place = place_of(run.folder)
        with place.stores():
            pass
    with pytest.raises(RunError, match="--trainers 2"):
        work(Assignment(place, "early", 1))


def test_trainers_that_keep_dying_end_the_search_with_their_last_words(tmp_path):
    place = published_in(tmp_path / "run", subject="iris")
    with run_in(tmp_path / "run") as run, place.stores() as stores:
        crew = Crew(TrainerOptions(trainers=1, max_deaths=1), place, stores, run)
        crew.start()
        wait_for_the_end_of(crew)
        crew.tend(0)
        wait_for_the_end_of(crew)
        with pytest.raises(RunError, match=r"2 trainers died in a row.*other data"):
            crew.tend(0)
        crew.end(stop=True)


def test_several_trainers_need_to_know_where_the_data_are(tmp_path):
    with run_in(tmp_path / "run") as run, pytest.raises(SettingError, match="origin="):
        search(load_task("wine"), SMALL, run=run, trainers=TrainerOptions(trainers=2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainers": 0}, "trainers must be at least 1"),
        ({"trainer_threads": 0}, "trainer_threads"),
        ({"max_deaths": -1}, "max_deaths"),
        ({"grace": 0.0}, "grace must be positive"),
        ({"engine_option": ("gpu",)}, "NAME=VALUE"),
    ],
)
def test_impossible_options_are_refused(changes, message):
    with pytest.raises(SettingError, match=message):
        TrainerOptions(**changes)


def test_options_of_an_engine_are_told_as_numbers_where_they_are_numbers():
    told = TrainerOptions(engine_option=("slurm_partition=gpu", "timeout_min=60", "num_gpus=0.5")).told
    assert told == {"slurm_partition": "gpu", "timeout_min": 60, "num_gpus": 0.5}


def test_where_data_are_survives_the_way_to_another_process(tmp_path):
    origin = Origin("wine", DataOptions(target=("a", "b"), valid=tmp_path, group="person"))
    assert Origin.from_json(json.loads(json.dumps(origin.to_json()))) == origin


def test_options_and_the_way_to_join_load_no_torch():
    code = (
        "import sys; import pomona.find.search.trainers.options, pomona.find.search.trainers.join;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_one_trainer_searches_as_the_search_itself_does(tmp_path):
    place = published_in(tmp_path / "trainer")
    work(Assignment(place, "only", 1))
    with run_in(tmp_path / "alone") as run, place_of(run.folder).stores() as (store, _):
        explore(make_problem(load_task("wine"), SMALL, BLOCKS), store, run)
        alone = store.all()
    found = [
        [(t.number, t.genome_hash, t.seed, t.parents, t.mutation, t.score) for t in trials]
        for trials in (trials_of(place), alone)
    ]
    assert found[0] == found[1]
