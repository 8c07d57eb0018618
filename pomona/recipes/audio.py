"""What learned front ends are worth: LEAF and its rivals on one small network (Zeghidour et al. 2021).

`python benchmarks/leaf.py` runs all of it; the functions are for a task, a front end and a seed of your own.
The paper's tasks are Speech Commands, VoxCeleb, AudioSet and others that cannot be had here; these are small
ones of the same kinds. What independent work found since is part of the result: filters move little and
sPCEN is what learns (Meng 2024), and a fixed mel filterbank is hard to beat (Schlüter and Gutenbrunner 2022).
"""

from dataclasses import dataclass

import numpy as np

from pomona.fit.assessment import assess
from pomona.fit.evaluate import evaluating, place_of, predictions
from pomona.fit.feeds import to_tensors
from pomona.fit.loop import fit
from pomona.fit.settings import FitSettings
from pomona.foundation.run import Run
from pomona.networks.build import build
from pomona.networks.filter_movement import Movement, filter_movements
from pomona.networks.heads import vector_head_block
from pomona.networks.spec import Block, Spec
from pomona.tasks.batch import Batch
from pomona.tasks.load import load_task
from pomona.tasks.task import Task

FILTERS = 40
FEW_FILTERS = 20
SPOKEN_DIGITS = FitSettings(steps=150, batch_size=32, learning_rate=6e-3, augment="light")
NARROW_BAND = FitSettings(steps=400, batch_size=32, learning_rate=2e-2, augment="none")
GAIN_SHIFT = FitSettings(steps=200, batch_size=32, learning_rate=6e-3, augment="none")
SOUND_TASKS = FitSettings(steps=600, batch_size=32, learning_rate=6e-3, augment="light")


@dataclass(frozen=True, eq=False)
class Trial:
    """One front end on one task with one seed."""

    front_end: str
    seed: int
    scores: dict[str, dict[str, float]]
    """Split → metric → value, of the weights that were best on valid."""
    movements: list[Movement]
    seconds: float


def spoken_digits(front_end: str, *, run: Run) -> Trial:
    """Ten digits of a speaker who was never heard, of `pomona fit spoken-digits`.

    Command: python benchmarks/leaf.py spoken-digits (8 front ends, 5 seeds: 25 minutes on one core). Expected
    accuracy on test: 0.6 to 0.9 by speaker, front ends within a few points of one another.
    """
    return trial(load_task("spoken-digits", seed=run.seed), front_end, SPOKEN_DIGITS, run=run)


def narrow_band(front_end: str, *, run: Run, filters: int = FEW_FILTERS) -> Trial:
    """A tone between louder neighbours, all of them within a band or two of the mel scale.

    Command: python benchmarks/leaf.py narrow-band (10 minutes on one core). Expected accuracy on test: LEAF
    0.5 to 1 by seed, log-mel about 0.2, with twice as many filters 0.2 to 0.5. Filters become several times
    as narrow.
    """
    return trial(load_task("narrow-band", seed=run.seed), front_end, NARROW_BAND, run=run, filters=filters)


def gain_shift(front_end: str, *, run: Run) -> Trial:
    """Chirps 20 dB quieter and louder than any heard in training.

    Command: python benchmarks/leaf.py gain-shift (minutes on one core). Expected: sPCEN keeps its accuracy,
    what takes energies or their logarithms loses it.
    """
    return trial(load_task("gain-shift", seed=run.seed), front_end, GAIN_SHIFT, run=run)


def sound_tasks(front_end: str, *, run: Run) -> Trial:
    """Digits, chirps, instruments and notes through one front end and one network with four heads.

    Command: python benchmarks/leaf.py sound-tasks (minutes on one core).
    """
    return trial(load_task("sound-tasks", seed=run.seed), front_end, SOUND_TASKS, run=run)


def trial(task: Task, front_end: str, settings: FitSettings, *, run: Run, filters: int = FILTERS) -> Trial:
    """The small network on `task` with this front end, trained with the run's seed, scored on every split."""
    spec = small_network(task, front_end, filters)
    result = fit(task, spec, settings, run=run, name=f"{task.name}-{front_end}")
    network = build(result.spec, run.seed)
    network.load_state_dict(result.state)

    def predict(batch: Batch) -> dict[str, np.ndarray]:
        with evaluating(network):
            return predictions(network(to_tensors(batch, task, place_of(network))), task)

    splits = [split for split in task.splits if split != "train"]
    scores = {split: assess(predict, task, split, seed=run.seed).values for split in splits}
    rate = int(task.inputs["audio"].rate or 0)
    return Trial(front_end, run.seed, scores, filter_movements(network, rate), result.seconds)


def small_network(task: Task, front_end: str, filters: int = FILTERS) -> Spec:
    """A front end, three convolutions over its frames and a head a target."""
    blocks = [
        Block("ears", "front_end", {"kind": front_end, "filters": filters}, ("audio",)),
        Block("norm", "normalisation", {}, ("ears",)),
        Block("body1", "convolution", {"width": 64, "kernel": 5, "stride": 2}, ("norm",)),
        Block("body2", "convolution", {"width": 64, "kernel": 5, "stride": 2}, ("body1",)),
        Block("body3", "convolution", {"width": 64, "kernel": 5}, ("body2",)),
        Block("vector", "global_pool", {"method": "attentive"}, ("body3",)),
    ]
    heads = {name: f"head{index + 1}" for index, name in enumerate(task.targets)}
    blocks += [
        vector_head_block(task.kind, task.targets[name], "vector", head) for name, head in heads.items()
    ]
    return Spec(dict(task.inputs), tuple(blocks), heads)
