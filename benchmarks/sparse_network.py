"""Finds the network on which sparse_accuracy.py measures what sparsity costs.

    python benchmarks/sparse_network.py [--task cifar10] [--trials 24] [--steps 300] [--folder FOLDER]

A search that starts with the network of inverted residuals of sparse_accuracy.py in the place of the usual
one, with twice its computation as the limit, and makes models of inverted residuals, convolutions and
poolings, so that most of what it finds is convolutions of 1 × 1. The best network on validation is written to
benchmarks/networks/TASK.json.
"""

import argparse
import contextlib
import sys
from dataclasses import asdict, replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.sparse_accuracy import handmade
from pomona.find.search import SearchSettings
from pomona.find.search.explore import explore
from pomona.find.search.genome import Genome
from pomona.find.search.leaders import ranking
from pomona.find.search.problem import make_problem
from pomona.fit.trials import OptunaStore
from pomona.foundation.files import write_json
from pomona.foundation.run import open_run
from pomona.networks.blocks import BLOCKS
from pomona.networks.cost import flops, parameters
from pomona.tasks import load_task

FOUND = Path(__file__).parent / "networks"
ALLOWED = ("inverted_residual", "convolution", "pool")


def main() -> None:
    """Searches, and writes the network."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--task", default="cifar10")
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--folder", type=Path, default=Path("runs/sparse-network"))
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    task = load_task(wanted.task)
    settings = SearchSettings(trials=wanted.trials, steps=wanted.steps, blocks_allowed=ALLOWED)
    start = handmade(task, 1.0)
    problem = replace(make_problem(task, settings, BLOCKS), usual=start, max_flops=2.0 * flops(start))
    identity = {"task": task.fingerprint, "settings": asdict(settings)}
    with (
        open_run(
            wanted.folder, verb="search", subject=task.name, identity=identity, seed=0, threads=1
        ) as run,
        contextlib.closing(OptunaStore(run.folder / "trials")) as store,
    ):
        explore(problem, store, run)
        best = ranking(store.all())[0]
    spec = Genome.from_json(best.genome).spec
    write_json(FOUND / f"{task.name}.json", spec.to_json())
    print(f"{best.values}, {parameters(spec)} parameters, {flops(spec) / 2e6:.2f} million multiplications")


if __name__ == "__main__":
    main()
