"""What does sparsity cost in accuracy, on a network of which most weights are 1 × 1 convolutions?

    python benchmarks/sparse_accuracy.py [--task mnist] [--steps 400] [--seeds 3] [--more 3] [--folder FOLDER]

For every seed a network of inverted residuals is trained, and then pruned while it is trained for as long
again. It is compared with the same network that was trained on for as long without pruning, example by
example; so is RigL from the start, with as many steps in all. Beside it, for the first `--more` seeds: 90 %,
a network 20 % wider at 70 %, and a dense one of half the width that learned from the dense network, with as
many steps in all. `seconds` of a row are those of all its trainings.

Differences are in percentage points of accuracy on test data; the interval of 95 % is over test examples,
each example's difference being the mean over seeds. Times are medians of one example on one thread, of the
first seed's network in ONNX Runtime and in the sparse runtime. Every training is kept in the folder: the same
command goes on where it was. Prints one JSON line.
"""

import argparse
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pomona.compile.pruning.judge import times_of
from pomona.compile.pruning.network import prune_network
from pomona.compile.pruning.settings import PruneSettings
from pomona.fit.assessment import assess
from pomona.fit.distillation import Lessons, distil, taught_by
from pomona.fit.evaluate import evaluating, place_of, predictions
from pomona.fit.feeds import to_tensors
from pomona.fit.loop import fit
from pomona.fit.settings import FitSettings
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.run import Run, open_run
from pomona.networks.build import build
from pomona.networks.cost import flops, parameters
from pomona.networks.heads import head_block
from pomona.networks.spec import Block, Spec
from pomona.tasks.load import load_task
from pomona.tasks.task import Task

RESULT = Path(__file__).parent / "results" / "sparse_accuracy.json"
BARS = {"70 %": -0.5, "80 %": -1.0}
WAYS = ("sparse", "sparse, RigL")
WIDER, NARROWER = 1.2, 0.5


@dataclass(frozen=True)
class Made:
    """A trained network."""

    spec: Spec
    state: Mapping[str, Tensor]
    seconds: float


def main() -> None:
    """Trains, compares and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="mnist")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--more", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs/sparse-accuracy"))
    wanted = parser.parse_args()
    task = load_task(wanted.task)
    training = FitSettings(
        steps=wanted.steps, batch_size=128, augment="none", evaluate_every=1000, keep="last"
    )
    made = {
        seed: trained(task, training, seed, wanted.folder, has_more=seed < wanted.more)
        for seed in range(wanted.seeds)
    }
    right = {seed: {name: hits(task, one) for name, one in nets.items()} for seed, nets in made.items()}
    result = header(wanted) | {"task": task.name, "test_examples": task.splits["test"].size}
    rows = [row(name, made, right) for name in made[0]]
    result["networks"] = rows
    result["met"] = {
        f"{share} {way}": find(rows, f"{share} {way}")["low"] >= bar
        for share, bar in BARS.items()
        for way in WAYS
    }
    write_json(RESULT, result)
    print(to_json(read_json(RESULT)))


def header(wanted: argparse.Namespace) -> dict[str, Any]:
    """What stands above the numbers."""
    command = f"--task {wanted.task} --steps {wanted.steps} --seeds {wanted.seeds} --more {wanted.more}"
    return {
        "benchmark": "sparse_accuracy",
        "unit": "accuracy on test, and its difference in points to the network trained on without pruning",
        "bar": "70 % sparse at most 0.5 points below, 80 % at most 1.0, by the interval's lower end",
        "command": f"python benchmarks/sparse_accuracy.py {command}",
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "date": time.strftime("%Y-%m-%d"),
    }


def trained(task: Task, training: FitSettings, seed: int, folder: Path, *, has_more: bool) -> dict[str, Made]:
    """All networks of a seed, by what they are called."""
    identity = {"task": task.fingerprint, "training": training.to_json()}
    where = folder / f"{task.name}-{training.steps}-{seed}"
    with open_run(where, verb="benchmark", subject=task.name, identity=identity, seed=seed, threads=1) as run:
        first = dense(task, network(task), training, run, "first")
        found = {"first dense": first}
        for share in (0.0, 0.7, 0.8, 0.9) if has_more else (0.0, 0.7, 0.8):
            name = f"{share:.0%} sparse".replace("%", " %") if share else "dense"
            found[name] = pruned(task, first, training, run, f"sparse-{share:g}", share)
        twice = FitSettings(**{**training.to_json(), "steps": 2 * training.steps})
        for share in (0.8, 0.7):
            found[f"{share:.0%} sparse, RigL".replace("%", " %")] = from_scratch(task, twice, run, share)
        if not has_more:
            return found
        wide = dense(task, network(task, WIDER), training, run, "wide-first")
        found["70 % sparse, 20 % wider"] = pruned(task, wide, training, run, "wide-0.7", 0.7)
        found["dense, half as wide, distilled"] = student(task, first, twice, run)
    return found


def network(task: Task, scale: float = 1.0) -> Spec:
    """Inverted residuals on a quarter of the resolution; batch norms, which an exporter folds."""

    def width(count: int) -> int:
        return 8 * round(count * scale / 8)

    (image,), ((name, target),) = task.inputs, task.targets.items()
    blocks = (
        Block("stem", "convolution", {"width": width(32), "stride": 2, "norm": "batch"}, (image,)),
        inverted("block1", "stem", width(64), stride=2),
        inverted("block2", "block1", width(64)),
        inverted("block3", "block2", width(64)),
        Block("pool", "global_pool", {}, ("block3",)),
        head_block(task.kind, target, "pool", "head"),
    )
    return Spec(task.inputs, blocks, {name: "head"})


def inverted(name: str, source: str, width: int, stride: int = 1) -> Block:
    """One block of the body."""
    args = {"width": width, "expand": 3, "stride": stride, "norm": "batch"}
    return Block(name, "inverted_residual", args, (source,))


def dense(task: Task, spec: Spec, training: FitSettings, run: Run, name: str) -> Made:
    """The usual training."""
    result = fit(task, spec, training, run=run, name=name)
    run.check_interrupt()
    return Made(spec, result.state, result.seconds)


def pruned(task: Task, start: Made, training: FitSettings, run: Run, name: str, sparsity: float) -> Made:
    """Training on from `start`, more and more of the weights zero."""
    found = prune_network(
        task,
        start.spec,
        PruneSettings(),
        training,
        run=run,
        weights=start.state,
        sparsity=sparsity,
        name=name,
    ).result
    run.check_interrupt()
    return Made(start.spec, found.state, start.seconds + found.seconds)


def from_scratch(task: Task, training: FitSettings, run: Run, share: float) -> Made:
    """RigL with shares by Erdős–Rényi, from drawn weights."""
    settings = PruneSettings(method="rigl", allocation="erk")
    found = prune_network(
        task, network(task), settings, training, run=run, weights=None, sparsity=share, name=f"rigl-{share:g}"
    ).result
    run.check_interrupt()
    return Made(network(task), found.state, found.seconds)


def student(task: Task, teacher: Made, training: FitSettings, run: Run) -> Made:
    """A narrower dense network that learns from the first dense one."""
    lessons = Lessons(taught_by(lambda batch: said(task, teacher, batch), task), share=0.5)
    spec = network(task, NARROWER)
    result = distil(task, spec, training, lessons, run=run, name="student")
    run.check_interrupt()
    return Made(spec, result.state, result.seconds)


def said(task: Task, one: Made, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A network's probabilities."""
    module = build(one.spec, 0)
    module.load_state_dict(dict(one.state))
    with evaluating(module):
        return predictions(module(to_tensors(dict(batch), task, place_of(module))), task)


def hits(task: Task, one: Made) -> np.ndarray:
    """Whether each test example is classified rightly."""
    found = assess(lambda batch: said(task, one, batch), task, "test")
    (target,) = task.targets
    return found.predictions[target].argmax(axis=1) == found.truth[target]


def row(name: str, made: Mapping[int, Mapping[str, Made]], right: Mapping[int, Any]) -> dict[str, Any]:
    """One row of the table: size, accuracy, and the difference to the dense network."""
    one = made[0][name]
    seeds = [seed for seed in made if name in made[seed]]
    apart = 100 * np.stack([right[s][name].astype(float) - right[s]["dense"] for s in seeds])
    by_example = apart.mean(axis=0)
    half = 1.96 * by_example.std(ddof=1) / np.sqrt(len(by_example))
    module = build(one.spec, 0)
    module.load_state_dict(dict(one.state))
    (image,) = one.spec.inputs.values()
    example = {image.name: np.zeros((1, *image.shape), np.float32)}
    times = [times_of(module, example) for _ in range(3)]
    weights = {key: tensor for key, tensor in one.state.items() if not key.endswith("num_batches_tracked")}
    return {
        "name": name,
        "weights": parameters(one.spec),
        "nonzero": sum(
            int(tensor.count_nonzero()) for key, tensor in weights.items() if "running" not in key
        ),
        "mega_multiplications": flops(one.spec) / 2e6,
        "onnx_ms": min(time[0] for time in times if time[0]),
        "sparse_ms": min((time[1] for time in times if time[1]), default=None),
        "accuracy": 100 * float(np.mean([right[s][name].mean() for s in seeds])),
        "difference": float(by_example.mean()),
        "low": float(by_example.mean() - half),
        "high": float(by_example.mean() + half),
        "by_seed": [round(float(part.mean()), 3) for part in apart],
        "seconds": float(np.mean([made[s][name].seconds for s in seeds])),
    }


def find(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The row of a network."""
    return next(one for one in rows if one["name"] == name)


if __name__ == "__main__":
    main()
