"""Is the bootstrap gap small for two architectures whose generalisation gaps differ widely?

    python benchmarks/question_bootstrap.py [--seeds 5] [--steps 400] [--size 2000] [--out FOLDER]

In the world `drawn-digits`, a dense and a convolutional network learn from the same number of examples again
and again, and from ever fresh ones. The generalisation gap is the real world's soft error on fresh examples
minus that on its own, the bootstrap gap is the real world's soft error on fresh examples minus the ideal
world's; both are read where the train error is 1 %. The article's claim is that the second stays small where
the first does not. A third pipeline, the dense network with strong augmentation, shows which of speed, time
and gap a change works by. Each pipeline is kept in the folder as soon as it is done, so that a stopped
benchmark goes on. Prints one JSON line and writes benchmarks/results/question_bootstrap.json.
"""

import argparse
import os
import platform
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pomona.fit import FitSettings
from pomona.foundation.files import to_json, write_json
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run, open_run
from pomona.networks.cost import parameters
from pomona.networks.spec import Block, Spec
from pomona.question.bootstrap.comparison import compare
from pomona.question.bootstrap.curves import Curves
from pomona.question.bootstrap.gap import band, gaps
from pomona.question.bootstrap.reading import SMALL, comparison_sentence, verdict
from pomona.question.bootstrap.two_worlds import two_worlds
from pomona.question.bootstrap.worlds import WORLDS
from pomona.tasks import Task

RESULT = Path(__file__).parent / "results" / "question_bootstrap.json"

WIDELY = 2.0
"""Generalisation gaps differ widely when one is so many times the other."""

COURSE = FitSettings(batch_size=64, augment="none", keep="last")


def main() -> None:
    """Trains the pipelines that are not in the folder yet and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark-bootstrap"))
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    identity = {"seeds": wanted.seeds, "steps": wanted.steps, "size": wanted.size}
    with open_run(
        wanted.out, verb="benchmark", subject="bootstrap", identity=identity, seed=0, threads=1
    ) as run:
        curves = trained(wanted, run)
    found = result(curves, wanted)
    write_json(RESULT, found)
    print(to_json(found))


def trained(wanted: argparse.Namespace, run: Run) -> dict[str, Curves]:
    """The curves of every pipeline."""
    world = WORLDS["drawn-digits"].make(seed=0)
    course = replace(COURSE, steps=wanted.steps)
    strong = replace(course, augment="strong")
    pipelines = {
        "dense": (dense(world), course),
        "convolutional": (convolutional(world), course),
        "dense, strong augmentation": (dense(world), strong),
    }
    seeds = [stream_seed(0, "benchmark seed", index) for index in range(wanted.seeds)]
    return {
        name: two_worlds(world, spec, settings, (wanted.size,), seeds, run=run, name=name.replace(", ", "-"))
        for name, (spec, settings) in pipelines.items()
    }


def dense(world: Task) -> Spec:
    """All pixels at once."""
    blocks = (
        Block("pixels", "flatten", {}, ("image",)),
        Block("dense1", "dense", {"width": 128}, ("pixels",)),
        Block("dense2", "dense", {"width": 128}, ("dense1",)),
        Block("head", "head", {"shape": (10,)}, ("dense2",)),
    )
    return Spec(world.inputs, blocks, {"digit": "head"})


def convolutional(world: Task) -> Spec:
    """Three convolutions, two of them strided, and what they see in every place."""
    blocks = (
        Block("convolution1", "convolution", {"width": 16}, ("image",)),
        Block("convolution2", "convolution", {"width": 32, "stride": 2}, ("convolution1",)),
        Block("convolution3", "convolution", {"width": 64, "stride": 2}, ("convolution2",)),
        Block("places", "flatten", {}, ("convolution3",)),
        Block("head", "head", {"shape": (10,)}, ("places",)),
    )
    return Spec(world.inputs, blocks, {"digit": "head"})


def result(curves: dict[str, Curves], wanted: argparse.Namespace) -> dict[str, Any]:
    """What is recorded."""
    base = curves["dense"]
    rows = [row(name, one, wanted.size) for name, one in curves.items()]
    changes = {
        f"{name} against dense": comparison_sentence(name, compare(base, one, name)[wanted.size])
        for name, one in curves.items()
        if one is not base
    }
    return {
        "benchmark": "question_bootstrap",
        "unit": "soft error, mean over seeds with its 95 % interval",
        "bar": f"bootstrap gap within {SMALL} for both networks, one of which has a generalisation gap "
        f"{WIDELY:g} times the other's",
        "command": f"python benchmarks/question_bootstrap.py --seeds {wanted.seeds} --steps {wanted.steps} "
        f"--size {wanted.size}",
        "pipelines": rows,
        "bar_met": bar_met(rows[:2]),
        **changes,
        "world": "drawn-digits",
        "examples": wanted.size,
        "seeds": wanted.seeds,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "torch": torch.__version__,
        "date": time.strftime("%Y-%m-%d"),
    }


def bar_met(architectures: list[dict[str, Any]]) -> bool:
    """Whether both came to 1 % train error, both gaps are small, and one generalises much better."""
    apart = sorted(one["generalisation_gap"] for one in architectures)
    is_small = all(one["has_converged"] and one["verdict"] == "small" for one in architectures)
    return is_small and apart[1] >= WIDELY * apart[0]


def row(name: str, curves: Curves, size: int) -> dict[str, Any]:
    """One pipeline where its train error is 1 %."""
    gap = gaps(curves)[size]
    own = curves.train_soft[size][:, gap.end]
    apart = band((curves.real[size][:, gap.end] - own)[:, None], least=-1.0)
    world = WORLDS["drawn-digits"].make(seed=0)
    return {
        "pipeline": name,
        "parameters": parameters(convolutional(world) if name == "convolutional" else dense(world)),
        "step": gap.end_step,
        "has_converged": gap.has_converged,
        "train_error": gap.train_error.mean[gap.end],
        "real": gap.real.mean[gap.end],
        "ideal": gap.ideal.mean[gap.end],
        "generalisation_gap": apart.mean[0],
        "generalisation_low": apart.low[0],
        "generalisation_high": apart.high[0],
        "bootstrap_gap": gap.gap.mean[gap.end],
        "bootstrap_low": gap.gap.low[gap.end],
        "bootstrap_high": gap.gap.high[gap.end],
        "largest_bootstrap_gap": gap.largest,
        "verdict": verdict(gap),
        "seconds": curves.seconds,
    }


if __name__ == "__main__":
    main()
