"""A fit that is killed at any moment, again and again, ends with the same weights to the bit."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch

SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
import safetensors.torch
from pomona.fit import FitSettings, fit, fit_population
from pomona.foundation.run import open_run
from pomona.networks import Block, Spec
from pomona.tasks import ArraySource, load_task

folder, out, pause = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
task = load_task("digits")
few = ArraySource(task.splits["train"].read(np.arange(200)))
task = replace(task, splits={**task.splits, "train": few, "valid": few})
blocks = (
    Block("stem", "convolution", {"width": 16}, ("image",)),
    Block("vector", "global_pool", {}, ("stem",)),
    Block("body", "dense", {"width": 32, "dropout": 0.2}, ("vector",)),
    Block("head", "head", {"shape": (10,)}, ("body",)),
)
spec = Spec(task.inputs, blocks, {"digit": "head"})
settings = FitSettings(
    steps=60, batch_size=32, ema=0.95, augment="strong", mixup=0.2, evaluate_every=2, checkpoint_seconds=pause
)
with open_run(folder, verb="fit", subject="digits", identity={}, seed=5, threads=1) as run:
    print("started", flush=True)
    one = fit(task, spec, settings, run=run, name="one")
    many = fit_population(task, spec, replace(settings, steps=20), (1, 2), run=run, name="many", how="vmap")
results = {"one": one, "many0": many[0], "many1": many[1]}
tensors = {f"{name}/{key}": tensor for name, r in results.items() for key, tensor in r.state.items()}
said = {name: repr([r.steps, r.best_step, r.valid, r.history]) for name, r in results.items()}
safetensors.torch.save_file(tensors, out, metadata=said)
"""


def start(folder: Path, out: Path, pause: float) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(out), str(pause)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safetensors.safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in sorted(file.keys())}, file.metadata()


@pytest.mark.timeout(240)
def test_a_fit_killed_at_random_moments_ends_with_the_same_bits(tmp_path):
    whole = start(tmp_path / "whole", tmp_path / "whole.safetensors", 1e9)
    chance, num_killed = random.Random(3), 0
    for _ in range(4):
        process = start(tmp_path / "killed", tmp_path / "killed.safetensors", 0.0)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        num_killed += process.returncode == -signal.SIGKILL
    finish(start(tmp_path / "killed", tmp_path / "killed.safetensors", 0.0))
    finish(whole)
    assert num_killed >= 2
    (wanted, said), (found, also_said) = (
        read(tmp_path / "whole.safetensors"),
        read(tmp_path / "killed.safetensors"),
    )
    assert said == also_said
    assert wanted.keys() == found.keys()
    for name, tensor in wanted.items():
        assert torch.equal(tensor, found[name]), name
