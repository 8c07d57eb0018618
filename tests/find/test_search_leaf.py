"""Search proposes, builds and trains networks with learned front ends."""

import numpy as np

from pomona.find.search.genome import Genome
from pomona.find.search.mutate import mutate
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.fit import FitSettings, fit
from pomona.foundation.run import temporary_run
from pomona.networks.blocks import BLOCKS
from pomona.tasks import load_task


def test_search_finds_a_network_with_leaf():
    task = load_task("bird-chirps", num_train=40)
    problem = make_problem(task, SearchSettings(), BLOCKS)
    generator = np.random.default_rng(0)
    usual = Genome(problem.usual, problem.usual_technique)
    found = {}
    for _ in range(400):
        genome = mutate(usual, problem, generator).genome
        for block in genome.spec.blocks:
            if block.block in ("leaf", "front_end"):
                found.setdefault(block.block, genome.spec)
        if len(found) == 2:
            break
    for spec in found.values():
        assert problem.is_possible(spec)
        with temporary_run(device="cpu", threads=1) as run:
            result = fit(task, spec, FitSettings(steps=2, batch_size=4), run=run)
        assert not result.failed
    assert set(found) == {"leaf", "front_end"}
