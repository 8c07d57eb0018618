"""Given only whole networks, a search trains them as they are and joins the best."""

import json

import numpy as np
import pytest

from pomona.export.predictors.load import load
from pomona.find.search.engine import search
from pomona.find.search.genome import Genome
from pomona.find.search.mutate import mutate
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.starting import random_start, starting_genome, untried_network
from pomona.fit.trials import OptunaStore
from pomona.foundation.errors import SettingError, SpecError
from pomona.foundation.run import open_run
from pomona.networks.blocks import BLOCKS
from pomona.networks.default import default_spec
from pomona.networks.hashing import spec_hash
from pomona.tasks import load_task

NETWORKS = ("dense", "convolution", "mobile", "vit")


def hashes(specs):
    return {spec_hash(spec) for spec in specs}


def test_different_whole_networks_are_joined_into_one_artifact(tmp_path):
    task = load_task("digits")
    settings = SearchSettings(
        trials=3, steps=200, networks=("dense", "convolution", "mobile"), reevaluations=0.0, finalists=1,
        finalist_seeds=1, finalist_steps=1.0, ensemble_size=4,
    )  # fmt: skip
    given = make_problem(task, settings, BLOCKS).networks
    with open_run(tmp_path / "run", verb="search", subject="digits", identity={}, seed=0, threads=1) as run:
        result = search(task, settings, run=run)
        store = OptunaStore(run.folder / "trials")
        specs = [Genome.from_json(trial.genome).spec for trial in store.all()]
        store.close()
        predictor = load(run.folder / result.artifact)
    assert result.trials.failed == 0
    assert hashes(specs[:3]) == hashes(given.values())
    assert hashes(specs) <= hashes(given.values())
    joined = {name.split("-")[1] for name in result.ensemble.members}
    assert len(joined) >= 2
    assert len({spec_hash(specs[int(number)]) for number in joined}) >= 2
    assert predictor.artifact.kind == "ensemble"
    batch = task.splits["test"].read(np.arange(5))
    assert predictor.predict_batch(batch)["digit"].shape == (5, 10)


def test_whole_networks_stay_as_they_are_whatever_is_changed():
    problem = make_problem(load_task("digits"), SearchSettings(networks=NETWORKS), BLOCKS)
    generator = np.random.default_rng(0)
    allowed, seen, techniques = hashes(problem.networks.values()), set(), set()
    parent = random_start(problem, generator).genome
    for position in range(120):
        parent = mutate(parent, problem, generator).genome
        started = starting_genome(position, problem, generator).genome
        assert hashes([parent.spec, started.spec]) <= allowed
        seen |= hashes([parent.spec])
        techniques.add(json.dumps(parent.training))
    assert seen == allowed
    assert len(techniques) > 20


def test_every_network_is_tried_once_as_it_is():
    problem = make_problem(load_task("digits"), SearchSettings(networks=NETWORKS), BLOCKS)
    generator, known = np.random.default_rng(0), set()
    for _ in NETWORKS:
        found = untried_network(problem, known, generator)
        assert found.hash not in known
        assert found.genome.training == problem.usual_technique
        known.add(found.hash)
    assert untried_network(problem, known, generator) is None


def test_the_block_network_alone_means_all_networks_that_serve_the_task():
    settings = SearchSettings(blocks_allowed=("network",))
    words = make_problem(load_task("tagged-words"), settings, BLOCKS).networks
    # the default is the recurrent one
    assert {"default", "dense", "transformer"} <= set(words)
    assert "cell" not in words
    assert len(hashes(words.values())) == len(words)
    assert list(make_problem(load_task("wine"), settings, BLOCKS).networks) == ["default"]


def test_networks_come_from_files_too_and_wrong_ones_are_refused(tmp_path):
    task = load_task("digits")
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(default_spec(task).to_json()))
    settings = SearchSettings(networks=(str(path), "dense", "residual"))
    # the usual network of images is the residual one
    assert list(make_problem(task, settings, BLOCKS).networks) == [str(path), "dense"]
    with pytest.raises(SettingError, match="dense"):
        make_problem(task, SearchSettings(networks=("dens",)), BLOCKS)
    with pytest.raises(SpecError):
        make_problem(load_task("tagged-words"), SearchSettings(networks=("cell",)), BLOCKS)
