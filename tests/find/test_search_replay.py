"""Replay: any model of a search, made again from what was recorded."""

from pathlib import Path

import pytest

from pomona.find.command import search
from pomona.find.search.problem import make_problem
from pomona.find.search.replay import replay_command
from pomona.find.search.settings import SearchSettings
from pomona.find.search.trainers.assignment import Assignment, Origin, publish
from pomona.find.search.trainers.place import place_of
from pomona.find.search.trainers.work import work
from pomona.foundation.errors import RunError, SettingError
from pomona.foundation.files import read_json
from pomona.foundation.run import open_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks.load import load_task

SMALL = {"trials": 6, "steps": 10, "starts": 2, "finalists": 1, "finalist_seeds": 2, "quiet": True}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search") / "run"
    search("wine", out=folder, **SMALL)
    return folder


def completed(folder):
    with place_of(folder).stores() as (store, _):
        return [trial for trial in store.all() if trial.state == "completed"]


def test_every_trial_comes_out_with_the_same_bits(searched):
    names = [f"trial-{trial.number}" for trial in completed(searched)]
    replayed = replay_command(searched, models=names, quiet=True)
    assert [one["model"] for one in replayed["models"]] == names
    assert replayed["is_same"], replayed
    assert all(one["score"] == one["score_before"] for one in replayed["models"])
    assert any(trial.attributes["inherited"] for trial in completed(searched)), "some began with weights"


def test_without_names_the_models_of_the_result_are_trained_again(searched):
    result = read_json(searched / "result.json")
    replayed = replay_command(searched, quiet=True)
    names = {one["model"] for one in replayed["models"]}
    assert names == {f"trial-{result['best']['trial']}", *result["ensemble"]["members"]}
    assert replayed["is_same"], replayed


def test_a_model_that_is_another_one_is_noticed(searched):
    path = Path(searched, "trials", "00000", "weights.safetensors")
    before = path.read_bytes()
    path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    try:
        assert not replay_command(searched, models=["0"], quiet=True)["is_same"]
    finally:
        path.write_bytes(before)


def test_what_a_trainer_of_several_trained_comes_out_the_same(tmp_path):
    settings = SearchSettings(trials=3, steps=10, starts=2)
    problem = make_problem(load_task("wine"), settings, BLOCKS)
    with open_run(tmp_path / "run", verb="search", subject="wine", identity={}) as run:
        place = place_of(run.folder)
        with place.stores() as (store, _):
            publish(store, place, problem, run, origin=Origin("wine"), blocks=None, grace_s=60.0)
    work(Assignment(place, "one", 1))
    names = [str(trial.number) for trial in completed(tmp_path / "run")]
    assert len(names) == 3
    assert replay_command(tmp_path / "run", models=names, quiet=True)["is_same"]


def test_a_training_that_ended_for_lack_of_time_ends_there_again(tmp_path):
    settings = {**SMALL, "trials": 50, "steps": 4000, "finalists": 1, "finalist_seeds": 1}
    search("wine", out=tmp_path / "run", seconds=4.0, **settings)
    late = [trial for trial in completed(tmp_path / "run") if trial.attributes["steps"] < 1000]
    names = [f"trial-{trial.number}" for trial in late] or []
    assert replay_command(tmp_path / "run", models=names, quiet=True)["is_same"]


def test_impossible_wishes_are_refused(searched, tmp_path):
    with pytest.raises(SettingError, match="not the folder of a search"):
        replay_command(tmp_path)
    with pytest.raises(SettingError, match="no trained model '99'"):
        replay_command(searched, models=["99"])
    (searched / "result.json").rename(searched / "aside.json")
    try:
        with pytest.raises(RunError, match="--trial"):
            replay_command(searched)
    finally:
        (searched / "aside.json").rename(searched / "result.json")
