"""What does sparsity cost in accuracy, on a network of which most weights are 1 × 1 convolutions?

    python benchmarks/sparse_accuracy.py [--task mnist] [--network FILE] [--steps 1600] [--batch 32]
        [--seeds 3] [--more 3] [--kinds KIND ...] [--folder FOLDER]

For every seed a network of inverted residuals, or the one that a JSON file describes (networks/ has one that
a search found), is trained, and then pruned, with the usual settings, while it is trained for as long again,
with the first training as a teacher and without. It is compared with the same network that was trained on for
as long without pruning, in the same way, example by example; so is RigL from the start, with as many steps
in all. Beside it, for the first `--more` seeds: a dense network that was trained on with the teacher, one
with as many steps in one training, 90 %, a network 20 % wider at 70 %, and a dense one of three quarters of
the width, which takes as long as 80 % zeros do, that learned from the dense network, with as many steps in
all.

Differences are in percentage points of accuracy on test data; the interval of 95 % is over test examples,
each example's difference being the mean over seeds. Microseconds are processor time of one example on one
thread, the least of many, of the first seed's network; `times_as_fast` is the dense network in the faster of
ONNX Runtime and LiteRT, where LiteRT has what the network is made of, by this one as a SparseSession chooses
to run it. `cpu_seconds` of a row are those of all its trainings. Every training is kept in the folder: the
same command goes on where it was. Prints one JSON line.
"""

import argparse
import contextlib
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pomona.compile.pruning.network import prune_network
from pomona.compile.pruning.settings import PruneSettings
from pomona.fit.assessment import assess
from pomona.fit.distillation import Lessons, distil, taught_by
from pomona.fit.evaluate import evaluating, place_of, predictions
from pomona.fit.feeds import to_tensors
from pomona.fit.loop import fit
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.run import Run, open_run
from pomona.networks.arguments import parameters_of
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.cost import flops, parameters
from pomona.networks.hashing import spec_hash
from pomona.networks.heads import head_block
from pomona.networks.spec import Block, Spec
from pomona.tasks.load import load_task
from pomona.tasks.task import Task

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.sparse_trained import microseconds

RESULT = Path(__file__).parent / "results" / "sparse_accuracy.json"
BARS = {"70 %": -0.5, "80 %": -1.0}
WAYS = ("sparse", "sparse, taught", "sparse, RigL")
WIDER, NARROWER = 1.2, 0.75
"""The narrower one takes LiteRT about as long as 80 % zeros take the sparse runtime."""


@dataclass(frozen=True)
class Made:
    """A trained network."""

    spec: Spec
    state: Mapping[str, Tensor]
    cpu_seconds: float


@dataclass(frozen=True)
class Study:
    """What is trained, and how."""

    task: Task
    training: FitSettings
    network: Callable[[float], Spec]
    """The network with its widths times this."""


Make = Callable[[Study, Run, Mapping[str, Made]], Made]
Nets = Mapping[int, dict[str, Made]]
Hits = Mapping[int, Mapping[str, np.ndarray]]


def main() -> None:
    """Trains, compares and writes the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--task", default="mnist")
    parser.add_argument("--network", type=Path, help="a Spec as JSON")
    parser.add_argument("--steps", type=int, default=1600)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--more", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--folder", type=Path, default=Path("runs/sparse-accuracy"))
    wanted = parser.parse_args()
    task = load_task(wanted.task)
    study = Study(
        task,
        FitSettings(
            steps=wanted.steps, batch_size=wanted.batch, augment="none", evaluate_every=1000, keep="last"
        ),
        partial(handmade, task) if wanted.network is None else partial(scaled, read_spec(wanted.network)),
    )
    result = RESULT.with_stem(RESULT.stem if task.name == "mnist" else f"{RESULT.stem}_{task.name}")
    made: Nets = {seed: {} for seed in range(wanted.seeds)}
    right: dict[int, dict[str, np.ndarray]] = {seed: {} for seed in made}
    times: dict[str, dict[str, float]] = {}
    for name in wanted.kinds:
        make, is_main = KINDS[name]
        for seed in range(wanted.seeds if is_main else wanted.more):
            with opened(study, seed, wanted.folder) as run:
                made[seed][name] = one = make(study, run, made[seed])
            right[seed][name] = hits(task, one)
            times.setdefault(name, {}).update({} if seed else speed(one))
            if "dense" in made[wanted.seeds - 1]:
                # what there is until now, should the rest never come
                numbers = header(wanted) | found(task, made, right, times)
                write_json(wanted.folder / "result.json", numbers)
    write_json(result, header(wanted) | found(task, made, right, times))
    print(to_json(read_json(result)))


def found(task: Task, made: Nets, right: Hits, times: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The numbers, of the networks that there are until now."""
    rows = [row(name, made, right, times[name]) for name in made[0]]
    whole = find(rows, "dense")
    for one in rows:
        one["times_as_fast"] = min(whole["onnx_us"], whole.get("litert_us", np.inf)) / one["chosen_us"]
    wanted = {f"{share} {way}": bar for share, bar in BARS.items() for way in WAYS}
    done = {one["name"] for one in rows if len(one["by_seed"]) == len(made)}
    met = {name: find(rows, name)["low"] >= bar for name, bar in wanted.items() if name in done}
    return {
        "task": task.name,
        "test_examples": task.splits["test"].size,
        "seeds": len(made),
        "networks": rows,
        "met": met,
    }


def opened(study: Study, seed: int, folder: Path) -> contextlib.AbstractContextManager[Run]:
    """Where a seed's networks are trained."""
    task, training = study.task, study.training
    identity = {
        "task": task.fingerprint,
        "training": training.to_json(),
        "network": spec_hash(study.network(1.0)),
    }
    where = folder / f"{task.name}-{training.steps}x{training.batch_size}-{seed}"
    return open_run(where, verb="benchmark", subject=task.name, identity=identity, seed=seed, threads=1)


def header(wanted: argparse.Namespace) -> dict[str, Any]:
    """What stands above the numbers."""
    network = f" --network {wanted.network}" if wanted.network else ""
    kinds = "" if wanted.kinds == list(KINDS) else " ".join(["", "--kinds", *map(shlex.quote, wanted.kinds)])
    sizes = f"--steps {wanted.steps} --batch {wanted.batch} --seeds {wanted.seeds} --more {wanted.more}"
    return {
        "benchmark": "sparse_accuracy",
        "unit": "accuracy on test, and its difference in points to the network trained on without pruning",
        "bar": "70 % sparse at most 0.5 points below, 80 % at most 1.0, by the interval's lower end",
        "command": f"python benchmarks/sparse_accuracy.py --task {wanted.task}{network} {sizes}{kinds}",
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "date": time.strftime("%Y-%m-%d"),
    }


def read_spec(path: Path) -> Spec:
    """The network of a file, with batch norms, which an exporter folds."""
    spec = Spec.from_json(read_json(path))
    normed = {kind for kind, known in BLOCKS.items() if "norm" in parameters_of(known.build)}
    blocks = [block.with_args(norm="batch") if block.block in normed else block for block in spec.blocks]
    return replace(spec, blocks=tuple(blocks))


def scaled(spec: Spec, scale: float) -> Spec:
    """With every width of its blocks times `scale`."""
    return replace(
        spec,
        blocks=tuple(
            block.with_args(width=round(block.args["width"] * scale)) if "width" in block.args else block
            for block in spec.blocks
        ),
    )


def handmade(task: Task, scale: float) -> Spec:
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


def first(study: Study, run: Run, others: Mapping[str, Made]) -> Made:
    """The usual training."""
    return dense(study, 1.0, study.training, run, "first")


def once(study: Study, run: Run, others: Mapping[str, Made]) -> Made:
    """The usual training, twice as long."""
    return dense(study, 1.0, twice(study.training), run, "dense-once")


def dense(study: Study, scale: float, training: FitSettings, run: Run, name: str) -> Made:
    """A training without pruning."""
    spec = study.network(scale)
    return timed(run, name, spec, lambda: fit(study.task, spec, training, run=run, name=name))


def twice(training: FitSettings) -> FitSettings:
    """As many steps as a dense training and a pruning have."""
    return replace(training, steps=2 * (training.steps or 0))


def magnitude(share: float) -> Make:
    """Training on from the first network, more and more of the weights zero; a share of 0 prunes none."""
    return lambda study, run, others: pruned(study, others["first dense"], run, f"sparse-{share:g}", share)


def taught(share: float) -> Make:
    """Training on from the first network, which teaches too; a share of 0 prunes none."""

    def make(study: Study, run: Run, others: Mapping[str, Made]) -> Made:
        first = others["first dense"]
        return pruned(study, first, run, f"taught-{share:g}", share, lessons=lessons_of(study.task, first))

    return make


def wider(study: Study, run: Run, others: Mapping[str, Made]) -> Made:
    """A wider network, trained and then pruned to 70 %."""
    wide = dense(study, WIDER, study.training, run, "wide-first")
    return pruned(study, wide, run, "wide-0.7", 0.7)


def pruned(
    study: Study, start: Made, run: Run, name: str, share: float, *, lessons: Lessons | None = None
) -> Made:
    """Training on from `start` with the usual settings of a pruning."""

    def make() -> FitResult:
        return prune_network(
            study.task, start.spec, PruneSettings(), study.training,
            run=run, weights=start.state, sparsity=share, lessons=lessons, name=name,
        ).result  # fmt: skip

    made = timed(run, name, start.spec, make)
    return replace(made, cpu_seconds=start.cpu_seconds + made.cpu_seconds)


def rigl(share: float) -> Make:
    """RigL with shares by Erdős–Rényi, from drawn weights."""
    settings, name = PruneSettings(method="rigl", allocation="erk"), f"rigl-{share:g}"

    def make(study: Study, run: Run, others: Mapping[str, Made]) -> Made:
        spec, longer = study.network(1.0), twice(study.training)

        def train() -> FitResult:
            return prune_network(
                study.task, spec, settings, longer, run=run, weights=None, sparsity=share, name=name
            ).result

        return timed(run, name, spec, train)

    return make


def student(study: Study, run: Run, others: Mapping[str, Made]) -> Made:
    """A narrower dense network that learns from the first dense one."""
    task, teacher, spec = study.task, others["first dense"], study.network(NARROWER)
    lessons = lessons_of(task, teacher)
    made = timed(
        run,
        "student",
        spec,
        lambda: distil(task, spec, twice(study.training), lessons, run=run, name="student"),
    )
    return replace(made, cpu_seconds=teacher.cpu_seconds + made.cpu_seconds)


def lessons_of(task: Task, teacher: Made) -> Lessons:
    """What `pomona prune --teacher 0.5` has a network learn."""
    return Lessons(taught_by(lambda batch: said(task, teacher, batch), task), share=0.5)


def timed(run: Run, name: str, spec: Spec, make: Callable[[], FitResult]) -> Made:
    """What `make` trains, and the processor seconds that it took when it was trained."""
    start = time.process_time()
    result = make()
    run.check_interrupt()
    seconds = run.decide("cpu_seconds", name, lambda: time.process_time() - start)
    print(f"seed {run.seed}, {name}: {result.valid['accuracy']:.4f}, {seconds:.0f} s", file=sys.stderr)
    return Made(spec, result.state, seconds)


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


def speed(one: Made) -> dict[str, float]:
    """By runtime the microseconds of one example."""
    module = build(one.spec, 0)
    module.load_state_dict(dict(one.state))
    (image,) = one.spec.inputs.values()
    return microseconds(module, image.name, np.random.default_rng(0).random(image.shape, np.float32))


def row(name: str, made: Nets, right: Hits, times: Mapping[str, float]) -> dict[str, Any]:
    """One row of the table: size, accuracy, and the difference to the dense network."""
    one = made[0][name]
    seeds = [seed for seed in made if name in made[seed]]
    apart = 100 * np.stack([right[s][name].astype(float) - right[s]["dense"] for s in seeds])
    by_example = apart.mean(axis=0)
    half = 1.96 * by_example.std(ddof=1) / np.sqrt(len(by_example))
    learned = {name for name, _ in build(one.spec, 0).named_parameters()}
    return {
        "name": name,
        "weights": parameters(one.spec),
        "nonzero": sum(int(one.state[key].count_nonzero()) for key in learned),
        "mega_multiplications": flops(one.spec) / 2e6,
        **{f"{runtime}_us": time for runtime, time in times.items()},
        "accuracy": 100 * float(np.mean([right[s][name].mean() for s in seeds])),
        "difference": float(by_example.mean()),
        "low": float(by_example.mean() - half),
        "high": float(by_example.mean() + half),
        "by_seed": [round(float(part.mean()), 3) for part in apart],
        # of a training that was stopped only the rest is known
        "cpu_seconds": float(np.median([made[s][name].cpu_seconds for s in seeds])),
    }


def find(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The row of a network."""
    return next(one for one in rows if one["name"] == name)


KINDS: dict[str, tuple[Make, bool]] = {
    "first dense": (first, True),
    "dense": (magnitude(0.0), True),
    "70 % sparse": (magnitude(0.7), True),
    "80 % sparse": (magnitude(0.8), True),
    "70 % sparse, taught": (taught(0.7), True),
    "80 % sparse, taught": (taught(0.8), True),
    "dense, taught": (taught(0.0), False),
    "70 % sparse, 20 % wider": (wider, False),
    "dense, three quarters as wide, distilled": (student, False),
    "80 % sparse, RigL": (rigl(0.8), True),
    "70 % sparse, RigL": (rigl(0.7), True),
    "dense, in one training": (once, False),
    "90 % sparse": (magnitude(0.9), False),
}
"""Name → how it is trained, and whether it is for all seeds; each may read those above it."""


if __name__ == "__main__":
    main()
