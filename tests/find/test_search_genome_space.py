"""The space of networks keeps the contract of strategies: keys, features, changes, and what it remembers."""

import numpy as np
import pytest

from pomona.find.search.genome import Genome
from pomona.find.search.genome_space import GenomeSpace
from pomona.find.search.problem import STRATEGIES, make_problem
from pomona.find.search.settings import SearchSettings
from pomona.fit.trials.strategies import StrategySettings
from pomona.foundation.errors import SpecError
from pomona.networks.blocks import BLOCKS
from pomona.networks.cost import parameters
from pomona.tasks import load_task

TASKS = ("digits", "diabetes", "seasonal-series")


@pytest.fixture(scope="module")
def problems():
    return {name: make_problem(load_task(name), SearchSettings(), BLOCKS) for name in TASKS}


@pytest.mark.parametrize("name", TASKS)
def test_points_differ_from_what_they_were_made_of_and_have_features_of_one_length(name, problems):
    space, generator = GenomeSpace(problems[name]), np.random.default_rng(0)
    point = space.sample(generator)
    lengths = set()
    for _ in range(20):
        changed = space.mutate(point, generator)
        assert space.key(changed) != space.key(point)
        assert space.sentence(space.key(changed))
        features = space.features(changed)
        assert np.isfinite(features).all()
        assert np.abs(features).max() < 10
        lengths.add(features.shape)
        point = changed
    assert len(lengths) == 1


def test_the_key_is_blind_to_names_of_blocks(problems):
    space = GenomeSpace(problems["digits"])
    point = space.sample(np.random.default_rng(1))
    ids = {block["id"]: f"renamed-{block['id']}" for block in point["spec"]["blocks"]}
    renamed = {
        **point["spec"],
        "blocks": [
            {**block, "id": ids[block["id"]], "from": [ids.get(source, source) for source in block["from"]]}
            for block in point["spec"]["blocks"]
        ],
        "outputs": {head: ids[block] for head, block in point["spec"]["outputs"].items()},
    }
    assert space.key({**point, "spec": renamed}) == space.key(point)


def test_a_wider_network_has_larger_features_of_size(problems):
    problem = problems["digits"]
    space = GenomeSpace(problem)
    usual = Genome(problem.usual, problem.usual_technique)
    wide = Genome(
        problem.usual.__class__(
            problem.usual.inputs,
            tuple(
                block.with_args(width=2 * block.args["width"]) if "width" in block.args else block
                for block in problem.usual.blocks
            ),
            problem.usual.outputs,
        ),
        usual.training,
    )
    difference = space.features(wide.to_json()) - space.features(usual.to_json())
    assert parameters(wide.spec) > parameters(usual.spec)
    assert np.count_nonzero(difference) == 2
    assert (difference >= 0).all()


def test_of_two_changes_in_a_row_both_are_told(problems):
    generator = np.random.default_rng(4)
    point = GenomeSpace(problems["digits"]).sample(generator)
    space = GenomeSpace(problems["digits"])
    once = space.mutate(point, generator)
    twice = space.mutate(once, generator)
    first, both = (space.sentence(space.key(changed)) for changed in (once, twice))
    assert both.startswith(f"{first}, ")


def test_crossing_keeps_the_first_network_and_mixes_techniques(problems):
    space, generator = GenomeSpace(problems["digits"]), np.random.default_rng(2)
    first, second = space.sample(generator), space.sample(generator)
    crossed = space.cross(first, second, generator)
    assert crossed["spec"] == first["spec"]
    assert crossed["training"] != first["training"]
    with pytest.raises(SpecError, match="trained alike"):
        space.cross(first, {**second, "training": first["training"]}, generator)
    for name, value in crossed["training"].items():
        assert value in (first["training"][name], second["training"][name])


def test_known_points_that_come_up_again_are_counted(problems):
    generator = np.random.default_rng(3)
    first = GenomeSpace(problems["digits"])
    point = first.sample(generator)
    again = GenomeSpace(problems["digits"], {first.key(point)})
    again.sample(np.random.default_rng(3))
    assert again.num_known == 1


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_suggests_a_network_from_nothing(name, problems):
    space = GenomeSpace(problems["digits"])
    suggested = STRATEGIES[name](space, (), np.random.default_rng(0), StrategySettings(num_trials=10))
    assert suggested.seed == 0
    assert Genome.from_json(suggested.point).spec.outputs
