"""How long does the simulator take for one placement, and how long the same rules in plain Python?

    python benchmarks/placement_simulator.py [--rounds 5]

Graphs of 1,000 to 80,000 nodes on four GPUs, with the memory model: METIS's placement, the program cut in
four, a random one, and METIS's with fused clusters. Processor time of one thread, the least of the rounds;
the plain loop takes its turn in the first two rounds and finds the same steps and peaks. The bar: 80,000
nodes in 40 ms. Prints one JSON line.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

import numba
import numpy as np
from placement_plain import PlainStep

from pomona.compile.placement.baselines.metis import parts
from pomona.compile.placement.baselines.topological import contiguous
from pomona.compile.placement.families import FAMILIES
from pomona.compile.placement.fusion import fuse
from pomona.compile.placement.machine.presets import pcie_gpus
from pomona.compile.placement.problem import Problem, problem_of
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.foundation.files import to_json, write_json

RESULT = Path(__file__).parent / "results" / "placement_simulator.json"
GRAPHS = (
    # name, family, size
    ("wavenet-2x18", "wavenet-2x18", 1.0),
    ("rnnlm-2", "rnnlm-2", 1.0),
    ("rnnlm-8", "rnnlm-8", 1.0),
    ("gnmt-4", "gnmt-4", 1.0),
    ("gnmt-8", "gnmt-8", 1.0),
)
PLAIN_ROUNDS = 2
NUM_DEVICES = 4


def main() -> None:
    """Measures all graphs and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    result = {
        "benchmark": "placement_simulator",
        "unit": "milliseconds of one core for one placement",
        "bar": "80,000 nodes with the memory model in at most 40 ms",
        "command": f"python benchmarks/placement_simulator.py --rounds {rounds}",
        "numba": numba.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "date": time.strftime("%Y-%m-%d"),
    }
    for name, family, size in GRAPHS:
        problem = problem_of(FAMILIES[family](size=size), pcie_gpus(NUM_DEVICES))
        result[name] = measured(problem, rounds)
        print(name, result[name], file=sys.stderr)
    write_json(RESULT, result)
    print(to_json(result))


def measured(problem: Problem, rounds: int) -> dict:
    """Times of one graph."""
    num_nodes = problem.graph.num_nodes
    metis = parts(problem, 30)
    alone = np.arange(num_nodes)
    placements = {
        "metis": (metis, alone),
        "cut in four": (contiguous(problem, alone), alone),
        "random": (np.random.default_rng(0).integers(0, NUM_DEVICES, num_nodes)[problem.graph.groups], alone),
        "metis, fused": (metis, fuse(problem, metis, problem.graph.output_bytes)),
    }
    found: dict = {"nodes": num_nodes, "edges": problem.graph.num_edges}
    order = -alone.astype(np.float64)
    peer = PlainStep(problem)
    for name, (device, cluster) in placements.items():
        ours, plain = [], []
        # what compiles is not counted
        scores = evaluate(problem, device[None], order[None], cluster[None])
        for turn in range(rounds):
            began = time.process_time()
            evaluate(problem, device[None], order[None], cluster[None])
            ours.append(time.process_time() - began)
            if turn < PLAIN_ROUNDS and cluster is alone:
                began = time.process_time()
                step_us, peak_bytes = peer.run(device.tolist(), order.tolist())
                plain.append(time.process_time() - began)
                np.testing.assert_allclose(scores.step_us[0], step_us)
                np.testing.assert_allclose(scores.peak_bytes[0], peak_bytes)
        found[f"{name}: ms"] = round(1e3 * min(ours), 3)
        if plain:
            found[f"{name}: plain Python, times ours"] = round(min(plain) / min(ours), 1)
    return found


if __name__ == "__main__":
    main()
