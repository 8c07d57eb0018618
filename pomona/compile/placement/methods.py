"""Every method that can be asked for a plan, by name: quick ones, and those that go on for given seconds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from pomona.compile.placement.baselines import BASELINES
from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.problem import Problem

OnBest = Callable[[Plan, float], None]


def policy(problem: Problem, generator: np.random.Generator) -> Plan:
    """The best of what the shipped policy holds most probable and of 32 draws, without training."""
    from pomona.compile.placement.policy.optimise import zero_shot

    return zero_shot(problem, num_samples=32, generator=generator)


def guided(problem: Problem, start: Plan | None, decided: tuple[str, ...], **clock) -> Found:
    """The shipped policy and local search under one clock."""
    from pomona.compile.placement.search.guided import guided

    return guided(problem, start=start, decided=decided, **clock)


def local_search(problem: Problem, start: Plan | None, decided: tuple[str, ...], **clock) -> Found:
    """Simulated annealing alone."""
    from pomona.compile.placement.search.annealing import search_plan

    return search_plan(problem, start=start, decided=decided, **clock)


def exact(problem: Problem, start: Plan | None, decided: tuple[str, ...], **clock) -> Found:
    """The best placement of a graph that is small, or is made small by merging groups."""
    from pomona.compile.placement.search.exact import coarse_optimum

    return coarse_optimum(problem, start=start, decided=decided, **clock)


def fine_tuned(problem: Problem, start: Plan | None, decided: tuple[str, ...], **clock) -> Found:
    """The shipped policy after at most 50 steps on this graph."""
    from pomona.compile.placement.policy.optimise import FINE_TUNING, fine_tune

    return fine_tune(problem, settings=replace(FINE_TUNING, tasks=decided), **_without_stop(clock))


def go_one(problem: Problem, start: Plan | None, decided: tuple[str, ...], **clock) -> Found:
    """A policy that learns on this graph alone, from nothing."""
    from pomona.compile.placement.policy.optimise import PolicySettings, go_one

    return go_one(problem, settings=PolicySettings(tasks=decided), **_without_stop(clock))


def hierarchical(problem: Problem, start: Plan | None, decided: tuple[str, ...], **clock) -> Found:
    """Groups and their devices learned together (HDP); only placement is decided."""
    from pomona.compile.placement.policy.hierarchical import hierarchical

    return hierarchical(problem, **_without_stop(clock))


def incremental(problem: Problem, start: Plan | None, decided: tuple[str, ...], **clock) -> Found:
    """One group after the other, learned (Placeto); only placement is decided."""
    from pomona.compile.placement.policy.incremental import incremental

    return incremental(problem, **_without_stop(clock))


def _without_stop(clock: dict) -> dict:
    return {name: value for name, value in clock.items() if name != "should_stop"}


QUICK: dict[str, Callable[[Problem, np.random.Generator], Plan]] = {**BASELINES, "policy": policy}
"""f(problem, generator) -> Plan, in seconds."""

METHODS: dict[str, Callable[..., Found]] = {
    "guided": guided,
    "local-search": local_search,
    "exact": exact,
    "fine-tuned": fine_tuned,
    "go-one": go_one,
    "hierarchical": hierarchical,
    "incremental": incremental,
}
"""f(problem, start, decided, *, seconds, generator, on_best, should_stop) -> Found."""
