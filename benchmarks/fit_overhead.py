"""What Pomona's training loop costs over a bare one, hand-written in torch, on the same network.

    python benchmarks/fit_overhead.py [--seeds 15] [--steps 300]

Both read the digits task, build the same network, take the same number of steps of AdamW, without decay of
norms and biases, on batches of one size, and end with one evaluation. They run in turn, once a seed; the
figure is the median ratio of their times with a bootstrap interval, of processor time, which hardly hangs on
what else the machine does, and of wall-clock time. "plain" is a constant learning rate and no clipping,
"usual" the cosine and the clipping that fits have by default; neither augments, a bare loop has nothing of
the kind. `fit` takes two threads only for steps that have work for two, so the case of two threads is a wide
network. Prints one JSON line and writes benchmarks/results/fit_overhead.json.
"""

import argparse
import functools
import math
import os
import platform
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pomona.fit import FitSettings, fit
from pomona.foundation.files import to_json, write_json
from pomona.foundation.randomness import stream
from pomona.foundation.run import temporary_run
from pomona.foundation.statistics import bootstrap_interval
from pomona.networks.build import build
from pomona.networks.spec import Block, Spec
from pomona.tasks import Task, load_task

RESULT = Path(__file__).parent / "results" / "fit_overhead.json"

BATCH_SIZE, RATE, CLIP = 64, 3e-3, 1.0


def main() -> None:
    """Measures all cases and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=300)
    wanted = parser.parse_args()
    task = load_task("digits")
    cases = []
    for network, make, num_threads, factor in CASES:
        for flavour in ("plain", "usual"):
            num_steps = int(wanted.steps * factor)
            found = measured(task, make(task), num_threads, flavour, num_steps, wanted.seeds)
            named = {"network": network, "threads": num_threads, "flavour": flavour, "steps": num_steps}
            cases.append({**named, **found})
    result = {
        "benchmark": "fit_overhead",
        "unit": "time of Pomona's loop / time of a bare torch loop",
        "bar": 1.05,
        "command": f"python benchmarks/fit_overhead.py --seeds {wanted.seeds} --steps {wanted.steps}",
        "cases": cases,
        "seeds": wanted.seeds,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d"),
    }
    write_json(RESULT, result)
    print(to_json(result))


def measured(
    task: Task, spec: Spec, num_threads: int, flavour: str, num_steps: int, num_seeds: int
) -> dict[str, float]:
    """The ratios of times, their intervals, and the time of a step of each."""
    times = np.empty((num_seeds, 2, 2))  # seed, loop, clock
    torch.set_num_threads(num_threads)
    loops = (pomona_loop, bare_loop)
    for seed in range(-1, num_seeds):  # the first pair warms up
        # whoever is first changes from pair to pair
        for which in (0, 1) if seed % 2 else (1, 0):
            torch.set_num_threads(num_threads)
            started = np.array([time.perf_counter(), time.process_time()])
            loops[which](task, spec, seed, num_threads, flavour, num_steps)
            times[seed, which] = np.array([time.perf_counter(), time.process_time()]) - started
    result = {"ours_ms_a_step": 0.0, "bare_ms_a_step": 0.0}
    for clock, name in enumerate(("wall", "processor")):
        ratios = times[:, 0, clock] / times[:, 1, clock]
        interval = bootstrap_interval(
            ratios, generator=stream(0, "ratios"), statistic=np.median, method="percentile"
        )
        result[f"{name}_ratio"] = float(np.median(ratios))
        result[f"{name}_low"], result[f"{name}_high"] = interval.low, interval.high
    for which, name in enumerate(("ours", "bare")):
        result[f"{name}_ms_a_step"] = float(np.median(times[:, which, 0])) / num_steps * 1e3
    return result


def pomona_loop(task: Task, spec: Spec, seed: int, num_threads: int, flavour: str, num_steps: int) -> None:
    """`fit` as a user calls it."""
    settings = FitSettings(
        steps=num_steps,
        batch_size=BATCH_SIZE,
        learning_rate=RATE,
        schedule="cosine" if flavour == "usual" else "constant",
        warmup=0.0,
        clip_norm=CLIP if flavour == "usual" else 0.0,
        augment="none",
        evaluate_every=num_steps,
    )
    with temporary_run(seed=seed, device="cpu", threads=num_threads) as run:
        fit(task, spec, settings, run=run)


def bare_loop(task: Task, spec: Spec, seed: int, num_threads: int, flavour: str, num_steps: int) -> None:
    """What one writes in a notebook, with everything that makes it fast."""
    train, valid = (task.splits[name].read(np.arange(task.splits[name].size)) for name in ("train", "valid"))
    images, digits = torch.from_numpy(train["image"]), torch.from_numpy(train["digit"])
    network = build(spec, seed)
    groups = [
        {"params": [w for w in network.parameters() if w.ndim > 1], "weight_decay": 0.02},
        {"params": [w for w in network.parameters() if w.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, RATE, fused=True)
    generator = torch.Generator().manual_seed(seed)
    is_usual, step = flavour == "usual", 0
    while step < num_steps:
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, len(images) - BATCH_SIZE + 1, BATCH_SIZE):
            chosen = order[start : start + BATCH_SIZE]
            if is_usual:
                for group in optimiser.param_groups:
                    group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / num_steps))
            optimiser.zero_grad(set_to_none=True)
            loss = functional.cross_entropy(network({"image": images[chosen]})["digit"], digits[chosen])
            loss.backward()
            if is_usual:
                nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimiser.step()
            step += 1
            if step == num_steps:
                break
    network.eval()
    with torch.inference_mode():
        heads = network({"image": torch.from_numpy(valid["image"])})["digit"]
        float((heads.argmax(1) == torch.from_numpy(valid["digit"])).float().mean())


def convolution(task: Task, width: int = 16) -> Spec:
    """A small network of convolutions."""
    return Spec(
        task.inputs,
        (
            Block("stem", "convolution", {"width": width}, ("image",)),
            Block("body1", "residual", {"width": 2 * width}, ("stem",)),
            Block("pool1", "pool", {}, ("body1",)),
            Block("body2", "residual", {"width": 4 * width}, ("pool1",)),
            Block("vector", "global_pool", {}, ("body2",)),
            Block("head", "head", {"shape": (10,)}, ("vector",)),
        ),
        {"digit": "head"},
    )


def dense(task: Task) -> Spec:
    """Two dense layers: all overhead shows."""
    return Spec(
        task.inputs,
        (
            Block("flat", "flatten", {}, ("image",)),
            Block("dense1", "dense", {"width": 128}, ("flat",)),
            Block("dense2", "dense", {"width": 128}, ("dense1",)),
            Block("head", "head", {"shape": (10,)}, ("dense2",)),
        ),
        {"digit": "head"},
    )


CASES = (
    ("convolution", convolution, 1, 1),
    ("dense", dense, 1, 5),
    ("wide convolution", functools.partial(convolution, width=64), 2, 0.2),
)
"""Name, network, threads, and steps as a multiple of --steps."""


if __name__ == "__main__":
    main()
