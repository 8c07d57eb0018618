"""What cannot be answered is refused before anything is trained."""

from dataclasses import replace

import numpy as np

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.randomness import stream
from pomona.question.bootstrap.settings import SMALLEST_TEST, BootstrapSettings
from pomona.tasks.source import EndlessSource
from pomona.tasks.splits import content_keys
from pomona.tasks.task import Task

USUAL_STEPS = 1000
"""Steps of both worlds when `steps` is not given."""

WITHOUT_MEANING = ("epochs", "early_stopping", "keep", "evaluate_every")
"""Settings of a fit that would make the two worlds unlike, or that `points` is for."""

NUM_PROBED = 4096
"""Examples that are drawn to see whether any comes twice; of a hundred thousand different ones, 80 do."""


def same_course(settings: FitSettings) -> FitSettings:
    """The settings as both worlds use them: so many steps, and every network to its end."""
    usual = FitSettings()
    for name in WITHOUT_MEANING:
        if getattr(settings, name) != getattr(usual, name):
            raise SettingError(f"{name} has no meaning here, both worlds take the same --steps; leave it out")
    return replace(settings, steps=settings.steps or USUAL_STEPS, keep="last")


def as_same_course(settings: FitSettings) -> FitSettings:
    """Settings of a fit that was done, without those that have no meaning here."""
    usual = FitSettings()
    return same_course(replace(settings, **{name: getattr(usual, name) for name in WITHOUT_MEANING}))


def check_question(task: Task, settings: BootstrapSettings, course: FitSettings) -> None:
    """Raises DataError or SettingError for what no world of the task can answer."""
    if task.kind != "classify" or len(task.targets) != 1:
        raise DataError(
            f"the soft error is 1 − the probability of the true class: {task.name} needs one target that is "
            f"a class, it is of kind {task.kind} with {len(task.targets)}"
        )
    smallest = settings.all_sizes[0]
    if smallest < course.batch_size:
        raise SettingError(
            f"sizes must be at least batch_size, got {smallest} examples for batches of {course.batch_size}; "
            "give a smaller --batch-size"
        )


def check_world(world: Task, settings: BootstrapSettings, course: FitSettings, *, seed: int) -> None:
    """Raises DataError or SettingError where the world would give an example twice, or has too few."""
    source = world.splits["train"]
    if source.size is not None:
        _check_data(world, source.size, settings, course)
    else:
        assert isinstance(source, EndlessSource)
        _check_fresh(world.name, source, seed=seed)


def _check_data(world: Task, size: int, settings: BootstrapSettings, course: FitSettings) -> None:
    largest, needed = settings.all_sizes[-1], (course.steps or 0) * course.batch_size
    if largest > size:
        raise SettingError(f"sizes must be at most what {world.name} has to train on, {size}; got {largest}")
    if needed > size:
        raise SettingError(
            f"an ideal world of {course.steps} steps of {course.batch_size} needs {needed} examples that are "
            f"never used twice, {world.name} has {size}: give --steps {max(size // course.batch_size, 1)} or "
            "fewer, or a --world that draws without end"
        )
    num_test = world.splits["test"].size or 0
    if num_test < settings.test_examples:
        raise SettingError(
            f"test_examples must be at most what {world.name} has to test on, {num_test}; got "
            f"{settings.test_examples} (at least {SMALLEST_TEST} are needed)"
        )


def _check_fresh(name: str, source: EndlessSource, *, seed: int) -> None:
    """Draws from different streams must differ, and so must the examples of one draw."""
    half = NUM_PROBED // 2
    draws = [source.draw(stream(seed, "is the world fresh", part), half) for part in range(2)]
    joined = {key: np.concatenate([draw[key] for draw in draws]) for key in draws[0]}
    repeated = NUM_PROBED - len(np.unique(content_keys(joined)))
    if repeated:
        # of n examples from a pool of k, about n² / 2k are there before
        pool = round(NUM_PROBED**2 / (2 * repeated))
        raise DataError(
            f"the world {name} repeats itself: {repeated} of {NUM_PROBED} examples that it drew came before, "
            f"as from a pool of about {pool}; an ideal world draws fresh ones, by the generator it is given"
        )
