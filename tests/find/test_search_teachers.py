"""Which models teach which in a search, and that what they say is computed once and can be told again."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from pomona.find.search.attempt import attempt
from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.models import model_of, predictions_of
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.starting import random_start
from pomona.find.search.teachers import lessons_of, recorded_teachers, teachers_of
from pomona.find.search.techniques import TEACHING, effective, technique_space
from pomona.find.search.training import fit_settings
from pomona.fit.distillation import taught_by
from pomona.fit.trials import OptunaStore
from pomona.fit.trials.trial import Proposal
from pomona.foundation.run import open_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks import load_task

SETTINGS = SearchSettings(steps=6)


@pytest.fixture
def searching(tmp_path):
    """A search of the wine task with three trained models."""
    problem = make_problem(load_task("wine"), SETTINGS, BLOCKS)
    with open_run(tmp_path / "run", verb="search", subject="wine", identity={}, threads=1) as run:
        store = OptunaStore(run.folder / "trials")
        for rate in (1e-3, 2e-3, 3e-3):
            attempt(proposed(problem, store, learning_rate=rate), problem, store, run)
        yield problem, store, run
        store.close()


def proposed(problem, store, *, seed=0, **technique):
    """A running trial of the usual network with another technique."""
    genome = Genome(problem.usual, {**problem.usual_technique, **technique})
    trial = store.claim(Proposal(genome.to_json(), genome_hash(genome), seed=seed))
    assert trial is not None
    return trial


def files(run):
    return sorted((run.folder / "teachers").glob("*"))


def test_the_best_model_teaches_and_the_trial_says_so(searching):
    problem, store, run = searching
    best = store.top_k(1)[0].number
    trial = attempt(proposed(problem, store, distillation=0.6), problem, store, run)
    assert trial.state == "completed"
    assert recorded_teachers(trial) == (best,)
    assert all(recorded_teachers(known) == () for known in store.all()[:3])
    (file,) = files(run)
    said = taught_by(predictions_of(model_of(store.all()[best], store, "best"), problem), problem.task)
    for name, array in load_file(file).items():
        np.testing.assert_allclose(array, said[name], atol=1e-6)


def test_an_ensemble_teaches_by_the_mean_of_its_members(searching):
    problem, store, run = searching
    trial = attempt(proposed(problem, store, distillation=0.3, teacher="ensemble"), problem, store, run)
    assert sorted(recorded_teachers(trial)) == [0, 1, 2]
    genome = Genome.from_json(trial.genome)
    lessons = lessons_of(recorded_teachers(trial), genome, problem, store, run)
    members = [
        taught_by(predictions_of(model_of(known, store, "one"), problem), problem.task)
        for known in store.all()[:3]
    ]
    for name, array in lessons.predictions.items():
        np.testing.assert_allclose(array, np.mean([one[name] for one in members], axis=0), atol=1e-6)
    assert (lessons.share, lessons.temperature) == (0.3, genome.training["temperature"])


def test_what_a_teacher_says_is_computed_once(searching):
    problem, store, run = searching
    attempt(proposed(problem, store, distillation=0.6), problem, store, run)
    (file,) = files(run)
    before = file.stat().st_mtime_ns
    trial = store.all()[3]
    lessons_of(recorded_teachers(trial), Genome.from_json(trial.genome), problem, store, run)
    assert [(path, path.stat().st_mtime_ns) for path in files(run)] == [(file, before)]


def test_a_trial_keeps_its_teachers_whoever_is_best_by_then(searching):
    problem, store, run = searching
    trial = proposed(problem, store, distillation=0.9)
    first = teachers_of(trial, problem, store)
    better = proposed(problem, store, learning_rate=4e-3)
    store.add_artifact(better.number, "weights.safetensors", b"")
    store.finish(better.number, 2.0, {})
    assert teachers_of(trial, problem, store) == first != (better.number,)
    attempt(trial, problem, store, run)
    again = proposed(problem, store, seed=1, distillation=0.9)
    assert teachers_of(again, problem, store) == first


def test_the_first_model_has_no_teacher(tmp_path):
    problem = make_problem(load_task("wine"), SETTINGS, BLOCKS)
    with open_run(tmp_path / "run", verb="search", subject="wine", identity={}, threads=1) as run:
        store = OptunaStore(run.folder / "trials")
        trial = attempt(proposed(problem, store, distillation=0.6), problem, store, run)
        store.close()
    assert trial.state == "completed"
    assert recorded_teachers(trial) == ()


def test_a_retold_training_gives_the_same_weights(searching):
    from pomona.find.search.training import train

    problem, store, run = searching
    trial = attempt(proposed(problem, store, distillation=0.6), problem, store, run)
    genome = Genome.from_json(trial.genome)
    lessons = lessons_of(recorded_teachers(trial), genome, problem, store, run)
    again = train(genome, problem, run.child("again"), name=f"trial-{trial.genome_hash}", lessons=lessons)
    first = model_of(trial, store, "first").weights()
    assert all(np.array_equal(first[name], again.state[name]) for name in first)
    untaught = train(genome, problem, run.child("untaught"), name=f"trial-{trial.genome_hash}")
    assert any(not np.array_equal(first[name], untaught.state[name]) for name in first)


def test_parts_of_a_technique_without_effect_make_no_new_genome():
    problem = make_problem(load_task("digits"), SETTINGS, BLOCKS)

    def hashed(**technique):
        return genome_hash(Genome(problem.usual, {**problem.usual_technique, **technique}))

    assert hashed() == hashed(temperature=4.0) == hashed(teacher="ensemble")
    taught = hashed(distillation=0.6)
    assert len({hashed(), taught, hashed(distillation=0.6, temperature=4.0)}) == 3
    assert taught == hashed(distillation=0.6, mixup=0.2) != hashed(mixup=0.2)
    both = {**problem.usual_technique, "distillation": 0.6, "mixup": 0.2}
    assert fit_settings(Genome(problem.usual, both), problem, num_steps=9).mixup == 0
    old = {name: value for name, value in problem.usual_technique.items() if name not in TEACHING}
    assert effective(old) == effective(problem.usual_technique)


def test_models_that_a_search_begins_with_have_no_teacher():
    problem = make_problem(load_task("digits"), SETTINGS, BLOCKS)
    generator = np.random.default_rng(0)
    started = [random_start(problem, generator).genome.training for _ in range(20)]
    assert {training["distillation"] for training in started} == {0.0}
    assert len({training["learning_rate"] for training in started}) > 5


def test_only_tasks_that_can_be_taught_have_teachers_to_choose_from():
    assert set(TEACHING) <= set(technique_space(load_task("digits")).parameters)
    assert not set(TEACHING) & set(technique_space(load_task("small-grammar")).parameters)
    untaught = make_problem(load_task("digits"), SearchSettings(teach=False), BLOCKS)
    assert not set(TEACHING) & set(untaught.techniques.parameters)
    assert set(untaught.usual_technique) == set(untaught.techniques.parameters)
