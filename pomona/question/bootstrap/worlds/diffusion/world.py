"""The recipe of CIFAR-5m in little: a diffusion model fitted to a task draws, a classifier labels.

Both worlds, and the test examples, come from the generator: what is asked is about the pipeline, and the
generator only has to be a task much like the real one. It must not give back the examples it was fitted to,
which is checked.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from pomona.fit.evaluate import evaluate, evaluating, place_of
from pomona.fit.feeds import read_all, to_tensors
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.foundation.run import Run
from pomona.networks.default import default_spec
from pomona.question.bootstrap.worlds.diffusion.denoising import denoise_task, denoiser
from pomona.question.bootstrap.worlds.diffusion.sampling import sample
from pomona.question.bootstrap.worlds.diffusion.weights import trained
from pomona.question.bootstrap.worlds.drawn_task import endless
from pomona.tasks.batch import Batch
from pomona.tasks.source import FiniteSource
from pomona.tasks.task import Task

MOST_NUMBERS = 1024
"""Numbers of an example, at most: dense layers draw no larger pictures."""

WIDTH, DEPTH = 256, 4
COURSE = FitSettings(
    steps=4000,
    batch_size=256,
    learning_rate=2e-3,
    ema=0.999,
    weight_decay=0.0,
    keep="last",
    evaluate_every=10,
)
TEACHER = FitSettings()

NUM_COMPARED = 300
COPIES = 0.5
"""Drawn examples are copies when they are nearer to training ones than this share of what real ones are."""


def diffusion(task: Task, *, run: Run, course: FitSettings = COURSE, teacher: FitSettings = TEACHER) -> Task:
    """The task with examples that a diffusion model, fitted to its training split, draws without end.

    Takes minutes the first time; the weights are kept in the cache. Raises DataError where the examples are
    too large or no numbers, or where the model only gives back what it was fitted to.
    """
    name, feature = _only_input(task)
    source = task.splits["train"]
    assert isinstance(source, FiniteSource)
    examples = read_all(source)[name].reshape(source.size, -1)
    denoising = denoise_task(examples, task.fingerprint, seed=run.seed)
    network = trained(denoising, denoiser(denoising, WIDTH, DEPTH), course, name="denoiser", run=run)
    labeller = trained(task, default_spec(task), teacher, name="teacher", run=run)
    low, high = examples.min(0), examples.max(0)
    target = next(iter(task.targets))

    def drawn(generator: np.random.Generator, num_examples: int) -> Batch:
        x = sample(network, generator, num_examples, low, high).reshape(-1, *feature.shape)
        with evaluating(labeller):
            said = labeller(to_tensors({name: x}, task, place_of(labeller)))[target].argmax(1)
        return {name: x, target: said.numpy().astype(task.targets[target].dtype)}

    nearness = _nearness(drawn(stream(run.seed, "copies"), NUM_COMPARED)[name], examples, task, name)
    accuracy = evaluate(labeller, task, "test").get("accuracy")
    world = endless(task, drawn, name=f"diffusion of {task.name}", seed=run.seed)
    about = f"{task.about}; drawn by a diffusion model without end, labelled by a teacher"
    notes = (
        f"the teacher's accuracy on the test split of {task.name} is {accuracy:.3f}",
        f"drawn examples are {nearness:.2f} times as far from the training examples as fresh real ones are",
    )
    return replace(world, about=about, notes=(*task.notes, *notes))


def _only_input(task: Task) -> tuple:
    if task.kind != "classify" or len(task.inputs) != 1 or task.splits["train"].size is None:
        raise DataError(
            f"the world diffusion is made from a task with one input and classes; {task.name} is none"
        )
    name, feature = next(iter(task.inputs.items()))
    size = int(np.prod(feature.shape))
    if feature.kind not in ("image", "vector", "series") or feature.variable or size > MOST_NUMBERS:
        raise DataError(
            f"the world diffusion draws images, vectors, series of at most {MOST_NUMBERS} numbers; {name!r} "
            f"of {task.name} is of kind {feature.kind} with {size}"
        )
    return name, feature


def _nearness(
    drawn: np.ndarray, examples: Float[np.ndarray, "example number"], task: Task, name: str
) -> float:
    """How far drawn examples are from the training examples, over how far fresh real ones are (medians)."""
    held = task.splits["valid"]
    assert isinstance(held, FiniteSource)
    fresh = held.read(np.arange(min(held.size, NUM_COMPARED)))[name]
    ratio = _nearest(drawn, examples) / max(_nearest(fresh, examples), 1e-12)
    if ratio < COPIES:
        raise DataError(
            f"the diffusion model gives back what it was fitted to: its examples are {ratio:.2f} times as "
            f"far from those of {task.name} as fresh ones are; a task with more examples is needed"
        )
    return ratio


def _nearest(some: np.ndarray, examples: Float[np.ndarray, "example number"]) -> float:
    """The median distance to the nearest example."""
    from scipy.spatial.distance import cdist

    return float(np.median(cdist(some.reshape(len(some), -1), examples).min(1)))
