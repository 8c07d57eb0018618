"""The hand-made network of search_real.py: mel filters, four convolutions, about 315,000 parameters."""

from typing import Any

import numpy as np

from pomona.find.search import SearchSettings
from pomona.find.search.genome import Genome
from pomona.find.search.problem import make_problem
from pomona.find.search.training import train, valid_values
from pomona.fit.evaluate import evaluate
from pomona.foundation.run import Run
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.cost import parameters
from pomona.networks.spec import Block, Spec
from pomona.tasks.task import Task

WIDTHS = (32, 64, 128, 192)

LENGTHS = (1.25, 2.5)
"""It is trained as long as finalists of the search, and half as long; the better on validation counts."""


def handmade(task: Task) -> Spec:
    """Log-mel features, then a convolution and a pooling for each width."""
    (name,), (head,) = task.inputs, task.targets
    blocks = [Block("mel", "melspectrogram", {}, (name,)), Block("image", "as_image", {}, ("mel",))]
    for place, width in enumerate(WIDTHS, 1):
        blocks.append(Block(f"convolution{place}", "convolution", {"width": width}, (blocks[-1].id,)))
        blocks.append(Block(f"pool{place}", "pool", {"method": "max"}, (blocks[-1].id,)))
    blocks[-1] = Block("vector", "global_pool", {}, (blocks[-2].id,))
    blocks.append(Block("head", "head", {"shape": [len(task.targets[head].classes)]}, ("vector",)))
    return Spec(task.inputs, tuple(blocks), {head: "head"})


def handmade_scores(task: Task, settings: SearchSettings, run: Run) -> dict[str, Any]:
    """Its test scores over as many trainings as the winner of a search has."""
    problem = make_problem(task, settings, BLOCKS)
    spec = handmade(task)
    genome = Genome(spec, problem.usual_technique)
    metric = problem.yardstick.metric
    valid: dict[float, list[float]] = {length: [] for length in LENGTHS}
    test: dict[float, list[float]] = {length: [] for length in LENGTHS}
    for length in LENGTHS:
        for seed in range(settings.finalist_seeds):
            result = train(genome, problem, run, name=f"handmade-{length}-{seed}", factor=length)
            network = build(spec, 0)
            network.load_state_dict(result.state)
            valid[length].append(valid_values(result, problem)[metric])
            test[length].append(evaluate(network, task, "test", seed=seed)[metric])
    chosen = max(LENGTHS, key=lambda length: float(np.mean(valid[length])))
    return {
        "test": float(np.mean(test[chosen])),
        "test_of_seeds": test[chosen],
        "valid": float(np.mean(valid[chosen])),
        "length": chosen,
        "parameters": parameters(spec),
    }
