"""The policy that comes with `pomona place`, pre-trained on small graphs (GO-generalise, Zhou et al. 2020).

Command: python -m pomona.compile.placement.policy.recipe FOLDER (about 20 minutes on one core; the same
command goes on where it was stopped). FOLDER/policy.safetensors is what the package holds as
policy/pretrained.safetensors, FOLDER/record.json as policy/pretrained.json. Searches on the small graphs are
imitated first, PPO comes after: alone it would need far longer. AmoebaNet and the large members of families
are never seen.
Expected: the plans it holds most probable for unseen graphs are on average no slower than METIS finished
with the best of the usual orders and fusions.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.machine.machine import Machine
from pomona.compile.placement.machine.presets import nvlink_gpus, one_bus, pcie_gpus
from pomona.compile.placement.policy.settings import TrainSettings
from pomona.compile.placement.policy.train import Trained, train
from pomona.compile.placement.problem import Problem, problem_of
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.run import Run, open_run

TRAINING_GRAPHS = (
    ("rnnlm-2", 0.05),
    ("rnnlm-2", 0.15),
    ("rnnlm-4", 0.1),
    ("rnnlm-4", 0.2),
    ("gnmt-2", 0.03),
    ("gnmt-2", 0.08),
    ("gnmt-4", 0.05),
    ("transformer-xl-2", 0.2),
    ("transformer-xl-2", 0.6),
    ("transformer-xl-4", 0.3),
    ("transformer-xl-4", 0.6),
    ("inception", 0.1),
    ("inception", 1.0),
    ("wavenet-2x18", 0.15),
    ("wavenet-2x18", 0.4),
    ("wavenet-2x18", 1.0),
)
"""Family and size."""
MEMORY_SHARES = (4.0, 0.8, 0.5)
"""Memory of a device beside what the whole graph needs on one: plenty, not all, half."""


def pretrain(*, run: Run, settings: TrainSettings = TrainSettings()) -> Trained:
    """The shipped policy, 48 problems: 16 graphs with 2, 4 and 8 devices."""
    return train(list(training_problems()), settings, run=run)


def training_problems() -> Iterator[Problem]:
    """Each graph with three numbers of devices, links and memories in turn."""
    kinds = (pcie_gpus, pcie_gpus, nvlink_gpus, pcie_gpus, one_bus)
    turn = 0
    for family, size in TRAINING_GRAPHS:
        graph = FAMILIES[family](size=size)
        for num_devices in (2, 4, 8):
            machine = kinds[turn % len(kinds)](num_devices)
            share = MEMORY_SHARES[(turn // 2) % len(MEMORY_SHARES)]
            turn += 1
            yield limited(problem_of(graph, machine), share)


def limited(problem: Problem, share: float) -> Problem:
    """The problem with devices whose memory is `share` of what the whole graph needs on one of them.

    Never less than 1.6 times an equal part of it.
    """
    nodes = problem.graph.num_nodes
    alone = evaluate(problem, np.zeros((1, nodes), np.int32), -np.arange(nodes, dtype=float)[None])
    needed = float(alone.peak_bytes[0, 0])
    memory = max(share, 1.6 / problem.num_devices) * needed
    devices = tuple(replace(device, memory_bytes=memory) for device in problem.machine.devices)
    machine = problem.machine
    return problem_of(problem.graph, Machine(machine.name, devices, machine.links, machine.routes))


if __name__ == "__main__":
    with open_run(Path(sys.argv[1]), verb="recipe", subject="placement", identity={}) as run:
        print(pretrain(run=run).record["learned"])
