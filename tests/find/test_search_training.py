"""What a child gets from its parent: every mutation of every kind of task hands weights down."""

import numpy as np
import pytest
import torch

from pomona.export.example import random_batch
from pomona.find.search.genome import Genome
from pomona.find.search.mutate import mutate
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.training import fit_settings, inherited
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.hashing import spec_hash
from pomona.tasks import load_task

TASKS = ("digits", "diabetes", "shapes", "tagged-words", "small-grammar", "seasonal-series", "two-digits")


@pytest.mark.parametrize("name", TASKS)
def test_every_child_of_a_random_walk_inherits(name):
    problem = make_problem(load_task(name), SearchSettings(), BLOCKS)
    generator = np.random.default_rng(0)
    usual = Genome(problem.usual, problem.usual_technique)
    parent, shares = usual, []
    for step in range(60):
        parent = usual if step % 10 == 0 else parent
        child = mutate(parent, problem, generator).genome
        state = build(parent.spec, 0).state_dict()
        heritage = inherited(child, parent, state, problem, seed=step)
        assert set(heritage.weights) == set(build(child.spec, 0).state_dict())
        assert all(weight.isfinite().all() for weight in heritage.weights.values())
        if spec_hash(child.spec) == spec_hash(parent.spec):
            assert heritage.share == 1.0
            assert all(torch.equal(heritage.weights[key], value) for key, value in state.items())
        shares.append(heritage.share)
        parent = child
    assert np.mean(shares) > 0.6


@pytest.mark.parametrize("name", ["breast-cancer", "diabetes"])
def test_a_widened_child_starts_as_its_parent(name):
    problem = make_problem(load_task(name), SearchSettings(), BLOCKS)
    generator = np.random.default_rng(1)
    parent = Genome(problem.usual, problem.usual_technique)
    network = build(parent.spec, 0).eval()
    batch = {
        key: torch.as_tensor(array)
        for key, array in random_batch(parent.spec.inputs, 4, generator=generator).items()
    }
    widened = 0
    while widened < 3:
        mutated = mutate(parent, problem, generator)
        if not mutated.sentence.startswith("widened"):
            continue
        widened += 1
        child = build(mutated.genome.spec, 1).eval()
        child.load_state_dict(
            inherited(mutated.genome, parent, network.state_dict(), problem, seed=0).weights
        )
        for head, other in zip(network(batch).values(), child(batch).values(), strict=True):
            torch.testing.assert_close(head, other, atol=1e-4, rtol=1e-4)


def test_batches_of_any_size_see_as_many_examples():
    problem = make_problem(load_task("digits"), SearchSettings(steps=800), BLOCKS)
    for size in (32, 64, 128):
        genome = Genome(problem.usual, {**problem.usual_technique, "batch_size": size})
        settings = fit_settings(genome, problem, num_steps=problem.steps)
        assert settings.steps * settings.batch_size == 800 * 64
