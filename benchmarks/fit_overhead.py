"""What Pomona's training loop costs over a bare one, hand-written in torch, on the same network.

    python benchmarks/fit_overhead.py [--seeds 15] [--steps 300]

Both read the digits task, build the same network, take the same number of steps of AdamW, without decay of
norms and biases, on batches of one size, and end with one evaluation. They run in turn, once a seed; the
figure is the median ratio of their times with a bootstrap interval. "plain" is a constant learning rate and
no clipping, "usual" the cosine and the clipping that fits have by default; neither augments, a bare loop has
nothing of the kind. Prints one JSON line and writes benchmarks/results/fit_overhead.json.
"""

import argparse
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
    for network, spec in {"convolution": convolution(task), "dense": dense(task)}.items():
        for num_threads in (1, 2):
            for flavour in ("plain", "usual"):
                case = measured(task, spec, num_threads, flavour, wanted.steps, wanted.seeds)
                cases.append({"network": network, "threads": num_threads, "flavour": flavour, **case})
    result = {
        "benchmark": "fit_overhead",
        "unit": "time of Pomona's loop / time of a bare torch loop",
        "bar": 1.05,
        "cases": cases,
        "seeds": wanted.seeds,
        "steps": wanted.steps,
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
    """The ratio of times, its interval, and the time of a step of each."""
    ours, bare = np.empty(num_seeds), np.empty(num_seeds)
    torch.set_num_threads(num_threads)
    for seed in range(-1, num_seeds):  # the first pair warms up
        pair = {}
        # whoever is first changes from pair to pair
        for loop in (pomona_loop, bare_loop)[:: 1 if seed % 2 else -1]:
            started = time.perf_counter()
            loop(task, spec, seed, num_threads, flavour, num_steps)
            pair[loop] = time.perf_counter() - started
        if seed >= 0:
            ours[seed], bare[seed] = pair[pomona_loop], pair[bare_loop]
    ratios = ours / bare
    interval = bootstrap_interval(
        ratios, generator=stream(0, "ratios"), statistic=np.median, method="percentile"
    )
    return {
        "ratio": float(np.median(ratios)),
        "low": interval.low,
        "high": interval.high,
        "ours_ms_a_step": float(np.median(ours)) / num_steps * 1e3,
        "bare_ms_a_step": float(np.median(bare)) / num_steps * 1e3,
    }


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


def convolution(task: Task) -> Spec:
    """A small network of convolutions."""
    return Spec(
        task.inputs,
        (
            Block("stem", "convolution", {"width": 16}, ("image",)),
            Block("body1", "residual", {"width": 32}, ("stem",)),
            Block("pool1", "pool", {}, ("body1",)),
            Block("body2", "residual", {"width": 64}, ("pool1",)),
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


if __name__ == "__main__":
    main()
