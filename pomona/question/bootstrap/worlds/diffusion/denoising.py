"""Denoising as a task, so that the usual fit trains a diffusion model.

An example x becomes cos(πt/2) · x + sin(πt/2) · ε with ε normal and t uniform in (0, 1). What is asked for is
the velocity cos(πt/2) · ε − sin(πt/2) · x (Salimans and Ho 2022), which keeps one scale at all levels of
noise.
"""

import math

import numpy as np
from jaxtyping import Float

from pomona.foundation.randomness import stream
from pomona.networks.spec import Block, Spec
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.metrics import DEFAULT_METRICS
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.source import ArraySource, DrawnSource
from pomona.tasks.task import Task

WAVES = 16
"""Frequencies by which a level of noise is told to the network."""

NUM_HELD = 1000


def denoise_task(examples: Float[np.ndarray, "example number"], fingerprint: str, *, seed: int) -> Task:
    """The task of telling the velocity, on training examples that are drawn without end."""

    def drawn(generator: np.random.Generator, num_examples: int) -> Batch:
        x = examples[generator.integers(0, len(examples), num_examples)]
        level = generator.uniform(0, 1, (num_examples, 1))
        noise = generator.standard_normal(x.shape)
        clean, dirty = shares(level)
        return {
            "noisy": (clean * x + dirty * noise).astype(np.float32),
            "level": waves(level[:, 0]),
            "velocity": (clean * noise - dirty * x).astype(np.float32),
        }

    size = examples.shape[1]
    held = {
        split: ArraySource(drawn(stream(seed, "denoising", split), NUM_HELD)) for split in ("valid", "test")
    }
    return Task(
        name="denoising",
        kind="regress",
        inputs={
            "noisy": Feature("noisy", "vector", (size,)),
            "level": Feature("level", "vector", (2 * WAVES,)),
        },
        targets={"velocity": Feature("velocity", "vector", (size,))},
        splits={"train": DrawnSource(drawn), **held},
        metrics=DEFAULT_METRICS["regress"],
        preprocessing=Preprocessing(()),
        fingerprint=f"denoising of {fingerprint}",
    )


def denoiser(task: Task, width: int, depth: int) -> Spec:
    """A network for it: `depth` residual layers over the noisy example and its level."""
    blocks = [
        Block("join", "concatenate", {}, ("noisy", "level")),
        Block("layer0", "dense", {"width": width, "activation": "gelu"}, ("join",)),
    ]
    for index in range(depth):
        blocks.append(
            Block(f"layer{index + 1}", "residual_dense", {"activation": "gelu"}, (f"layer{index}",))
        )
    shape = task.targets["velocity"].shape
    blocks.append(Block("velocity", "head", {"shape": shape}, (f"layer{depth}",)))
    return Spec(task.inputs, tuple(blocks), {"velocity": "velocity"})


def shares(level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much of the example and how much of the noise there is at a level in [0, 1]."""
    return np.cos(level * math.pi / 2), np.sin(level * math.pi / 2)


def waves(level: Float[np.ndarray, " example"]) -> Float[np.ndarray, "example wave"]:
    """A level as sines and cosines of growing frequency."""
    turns = level[:, None] * np.geomspace(1, 100, WAVES)
    return np.concatenate([np.sin(turns), np.cos(turns)], 1).astype(np.float32)
