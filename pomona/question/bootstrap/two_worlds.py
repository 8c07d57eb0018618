"""Training the same networks in the real and in the ideal world, as one population.

Every network takes the same steps with the same code, schedule and batch size. The members of the population
differ in where their batches come from and in their seed, and in nothing else: for each seed one member
learns from the ideal world, and one from each size of the real world, and all of these begin with the same
weights.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int
from torch import nn

from pomona.fit.course import Job, run_course
from pomona.fit.draws import own_dropout
from pomona.fit.evaluate import Evaluation
from pomona.fit.extension import USUAL, Extension
from pomona.fit.feeds import make_feed, read_all, to_tensors
from pomona.fit.job import make_job
from pomona.fit.members import Members, MembersFeed
from pomona.fit.objectives import Tensors
from pomona.fit.plan import Plan
from pomona.fit.result import Course
from pomona.fit.settings import FitSettings
from pomona.fit.setup import Setup, set_up
from pomona.foundation.run import Run
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.spec import Spec
from pomona.question.bootstrap.curves import Curves
from pomona.question.bootstrap.errors import errors
from pomona.question.bootstrap.moments import moments
from pomona.question.bootstrap.supply import held_examples, real_world
from pomona.tasks.source import FiniteSource, SubsetSource
from pomona.tasks.task import Task

NUM_OWN = 500
"""Examples of its own on which the train error of a network is measured, where it has so many."""


@dataclass(frozen=True)
class Member:
    """One network: whose seed it has and how many examples its world has, None for fresh ones."""

    seed: int
    size: int | None


def two_worlds(
    world: Task,
    spec: Spec,
    settings: FitSettings,
    sizes: Sequence[int],
    seeds: Sequence[int],
    *,
    run: Run,
    name: str = "worlds",
    num_points: int = 30,
    num_test: int = 1000,
    blocks: Mapping[str, BlockKind] = BLOCKS,
    extension: Extension = USUAL,
) -> Curves:
    """The errors of networks that take `settings.steps` steps in a world of each size and in the ideal one.

    `world` has one target, a class, and a training split without end, or one that is large enough never to be
    used twice. The same name in the same run goes on where it was stopped.
    """
    members = [Member(seed, size) for size in (None, *sizes) for seed in seeds]
    with contextlib.ExitStack() as stack:
        setup = set_up(
            world,
            spec,
            settings,
            run=run,
            name=name,
            blocks=blocks,
            num_members=len(members),
            extension=extension,
        )
        networks = [setup.start(member.seed) for member in members]
        job = _job(setup, members, networks, moments(settings.steps or 0, num_points), num_test)
        stack.enter_context(own_dropout(setup.draws(run.seed), setup.place.device))
        course = run_course(job)
    run.check_interrupt()
    return _curves(course, members, job.plan)


def _job(
    setup: Setup,
    members: Sequence[Member],
    networks: Sequence[nn.Module],
    points: Int[np.ndarray, " point"],
    num_test: int,
) -> Job:
    world, seeds = setup.task, [member.seed for member in members]
    tasks = [
        world if member.size is None else real_world(world, member.size, member.seed) for member in members
    ]
    feeds = tuple(
        make_feed(task, "train", setup.place, setup.settings, setup.draws(member.seed))
        for task, member in zip(tasks, members, strict=True)
    )
    trainer = Members(networks, setup, seeds, how="auto")
    job = make_job(setup, seeds, feed=MembersFeed(feeds), trainer=trainer)
    own = [_own_examples(setup, task, member) for task, member in zip(tasks, members, strict=True)]
    tested = {seed: _tensors(setup, held_examples(world, num_test, seed)) for seed in set(seeds)}
    target = next(iter(world.targets))

    def evaluate(network: nn.Module, index: int) -> Evaluation:
        soft, hard = errors(network, tested[members[index].seed], target)
        values = {"soft": soft, "hard": hard}
        if own[index]:
            values["train soft"], values["train"] = errors(network, own[index], target)
        return Evaluation(values, -soft, soft)

    num_steps = int(points[-1])
    plan = Plan(num_steps, num_steps, num_steps, frozenset(points.tolist()))
    return replace(job, plan=plan, evaluate=evaluate)


def _own_examples(setup: Setup, task: Task, member: Member) -> Tensors:
    """Examples that a network of the real world learns from, as they are; none for one of the ideal world."""
    if member.size is None:
        return {}
    source = task.splits["train"]
    assert isinstance(source, FiniteSource)
    return _tensors(setup, SubsetSource(source, np.arange(min(member.size, NUM_OWN))))


def _tensors(setup: Setup, source: FiniteSource) -> Tensors:
    return to_tensors(read_all(source), setup.task, setup.place)


def _curves(course: Course, members: Sequence[Member], plan: Plan) -> Curves:
    steps = np.array(sorted(plan.also))

    def rows(size: int | None, name: str) -> np.ndarray:
        chosen = [course.members[i] for i, member in enumerate(members) if member.size == size]
        found = np.full((len(chosen), len(steps)), np.nan)
        for row, one in enumerate(chosen):
            for entry in one.history:
                found[row, np.searchsorted(steps, entry["step"])] = entry["valid"][name]
        return found

    sizes = [size for size in dict.fromkeys(member.size for member in members) if size is not None]
    return Curves(
        steps,
        ideal=rows(None, "soft"),
        real={size: rows(size, "soft") for size in sizes},
        train_error={size: rows(size, "train") for size in sizes},
        train_soft={size: rows(size, "train soft") for size in sizes},
        ideal_hard=rows(None, "hard"),
        real_hard={size: rows(size, "hard") for size in sizes},
        seconds=course.seconds,
    )
