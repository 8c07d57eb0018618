"""Image recognition with vision transformers (Dosovitskiy et al. 2020) and their convolutional rival.

    pomona fit digits --network vit --augment light --weight-decay 0.1    1 minute, 98.6 % on test
    pomona fit mnist --network vit --augment light --weight-decay 0.1    12 minutes, 99.2 % on test

Minutes of one processor core, by itself; benchmarks/results/vit.json has what was measured, with seeds. For
pictures of your own give their folder in place of the task's name. The paper's figures (88.55 % on ImageNet
after JFT-300M) need its data and its machines and are not reproduced here. What is: how position embeddings,
attention and filters come to look, in the report of every fit, and with `compare_data_sizes` which network
wins at which number of training images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pomona.export.predictors.network import save_network
from pomona.fit.evaluate import evaluate
from pomona.fit.loop import fit
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.randomness import stream
from pomona.foundation.run import Run, temporary_run
from pomona.networks.build import build
from pomona.networks.compose import compose
from pomona.networks.cost import parameters
from pomona.networks.named import named_spec
from pomona.networks.signal import signal_of
from pomona.networks.spec import Spec
from pomona.networks.vit import VitShape, small_vit, vit_body
from pomona.networks.vit_checkpoint import read_vit
from pomona.networks.vit_weights import network_for_task
from pomona.tasks.source import FiniteSource, SubsetSource
from pomona.tasks.task import Task


@dataclass(frozen=True)
class TrainingWay:
    """How a vision transformer is trained: settings of the fit, and what its layers leave out."""

    settings: FitSettings
    layers: Mapping[str, float]


WAYS: dict[str, TrainingWay] = {
    "small": TrainingWay(FitSettings(weight_decay=0.1, augment="light"), {}),
    "scratch": TrainingWay(
        FitSettings(epochs=300, batch_size=4096, warmup=0.1, weight_decay=0.3, augment="none"),
        {"dropout": 0.1},
    ),
    "fine-tune": TrainingWay(
        FitSettings(optimizer="sgd", batch_size=512, learning_rate=0.03, weight_decay=0.0, augment="light"),
        {},
    ),
    "deit": TrainingWay(
        FitSettings(
            epochs=300, batch_size=1024, learning_rate=1e-3, warmup=5 / 300, weight_decay=0.05, clip_norm=0.0,
            label_smoothing=0.1, augment="strong", flip=True, mixup=0.8, cutmix=1.0, ema=0.99996,
        ),
        {"drop_path": 0.1},
    ),
    "augreg": TrainingWay(
        FitSettings(
            epochs=300, batch_size=4096, learning_rate=1e-3, warmup=0.03, weight_decay=0.1,
            augment="medium", flip=True, mixup=0.2,
        ),
        {"dropout": 0.1, "drop_path": 0.1},
    ),
}  # fmt: skip
"""way         after
small       what does well with thousands of images on a processor
scratch     Dosovitskiy et al. 2020 on ImageNet alone
fine-tune   Dosovitskiy et al. 2020, from a checkpoint
deit        Touvron et al. 2021, without its teacher, its repeated images and its list of augmentations
augreg      Steiner et al. 2021, one of its settings of middling strength

Augmentations are this house's own, of about that strength.
"""


def train(
    task: Task, *, way: str = "small", shape: VitShape | None = None, run: Run | None = None, **changes: Any
) -> FitResult:
    """A vision transformer trained on a task of images in one of WAYS; `changes` are settings of the fit.

    Raises SettingError for an unknown way or setting.
    """
    if way not in WAYS:
        raise unknown_name("way of training", way, WAYS)
    (feature,) = task.inputs.values()
    layers: dict[str, Any] = dict(WAYS[way].layers)
    shape = replace(shape or small_vit(signal_of(feature)), **layers)
    settings = FitSettings.from_json(WAYS[way].settings.to_json() | changes)
    return fit(task, compose(partial(vit_body, shape=shape), task), settings, run=run)


def fine_tune(
    folder: str | Path, task: Task, *, out: str | Path | None = None, run: Run | None = None, **changes: Any
) -> FitResult:
    """A checkpoint of timm or Hugging Face, trained on for a task; `out` is a folder for the artifact.

    `pomona fit TASK --network FOLDER` does the same with the settings that it is given. The head starts at
    zero. Raises ArtifactError for a folder that holds no vision transformer.
    """
    spec, weights = network_for_task(read_vit(folder), task)
    settings = FitSettings.from_json(WAYS["fine-tune"].settings.to_json() | changes)
    result = fit(task, spec, settings, run=run, weights=weights)
    if out is not None:
        save_network(out, task, result.spec, result.state, metrics={"valid": result.valid})
    return result


@dataclass(frozen=True)
class SizeResult:
    """Test accuracy of one network after training on so many images, for every seed."""

    task: str
    network: str
    parameters: int
    images: int
    accuracy: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """The result as plain data, with mean and deviation over seeds."""
        spread = float(np.std(self.accuracy, ddof=1)) if len(self.accuracy) > 1 else 0.0
        return {**asdict(self), "mean": float(np.mean(self.accuracy)), "deviation": spread}


def compare_data_sizes(
    task: Task,
    sizes: Sequence[int],
    *,
    networks: Sequence[str] = ("vit", "bit", "residual"),
    seeds: Sequence[int] = (0, 1, 2),
    settings: FitSettings = FitSettings(
        steps=600, batch_size=32, learning_rate=2e-3, weight_decay=0.1, augment="none"
    ),
) -> list[SizeResult]:
    """The article's question, who wins at which data size: each network on the same subsets of a task.

    Every training has the same number of steps. The subsets of a seed are nested.
    """
    results = []
    for size in sizes:
        for network in networks:
            spec = named_spec(network, task)
            accuracy = [_accuracy(subset(task, size, seed=seed), spec, settings, seed) for seed in seeds]
            results.append(SizeResult(task.name, network, parameters(spec), size, tuple(accuracy)))
    return results


def subset(task: Task, size: int, *, seed: int) -> Task:
    """The task with `size` of its training examples. Raises SettingError when it has fewer."""
    train = task.splits["train"]
    if not isinstance(train, FiniteSource) or train.size < size:
        raise SettingError(f"{task.name} has {train.size} training examples, {size} were asked for")
    kept = stream(seed, "data size", task.name).permutation(train.size)[:size]
    splits = {**task.splits, "train": SubsetSource(train, kept)}
    return replace(task, splits=splits, fingerprint=f"{task.fingerprint}-{size}-{seed}")


def _accuracy(task: Task, spec: Spec, settings: FitSettings, seed: int) -> float:
    with temporary_run(seed=seed, device="cpu") as run:
        result = fit(task, spec, settings, run=run)
    network = build(spec, 0)
    network.load_state_dict(result.state)
    return evaluate(network, task, "test")["accuracy"]
