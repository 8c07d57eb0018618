"""The best placement of all, by branch and bound, of a graph that is small or was made small.

Groups get a device one after the other, the one with most work first. A half-made placement is given up when
its busiest device, its busiest serial link, the work spread evenly, or the longest way with the transfers
that are certain is no shorter than the best whole one. Equal devices are told apart only once they differ.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np
from jaxtyping import Int32

from pomona.compile.placement.baselines.finish import finished
from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.annealing import search_plan
from pomona.compile.placement.search.coarse import coarse_problem
from pomona.compile.placement.simulator.evaluate import evaluate
from pomona.compile.placement.simulator.ranks import longest_to_end, upward_rank
from pomona.compile.placement.simulator.tables import tables_of
from pomona.compile.placement.tasks import tasks_of

MOST_PERMUTED = 6
"""Operations up to which every order is tried with every placement; above, two orders are."""
GROUPS = {1: 1, 2: 20, 3: 14, 4: 12}
"""Groups that a large graph is made into, by devices; 9 for more devices."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best plan met; `is_proven` when every placement was ruled out or tried with all its orders."""

    plan: Plan
    step_us: float
    is_proven: bool
    evaluations: int


def optimum(problem: Problem, *, seconds: float, should_stop: Callable[[], bool] | None = None) -> Optimum:
    """The best plan without fusion: over all orders for at most 6 operations that take time, else over two.

    Time grows like devices to the power of groups; after `seconds` the best so far is returned.
    """
    generator = np.random.default_rng(0)
    first = search_plan(
        problem,
        decided=("placement", "scheduling"),
        seconds=seconds / 2,
        evaluations=500,
        generator=generator,
    )
    is_valid = evaluate(problem, first.plan.device[None], first.plan.priority[None]).is_valid[0]
    tree = _Tree(problem, first.plan, first.step_us if is_valid else np.inf, should_stop, seconds)
    is_proven = tree.descend(np.full(len(tree.members), -1, np.int32), 0, 0)
    return Optimum(tree.best, tree.best_us, is_proven and np.isfinite(tree.best_us), tree.evaluations)


def coarse_optimum(
    problem: Problem,
    *,
    start: Plan | None = None,
    decided: tuple[str, ...] = ("placement",),
    seconds: float = 10.0,
    evaluations: int | None = None,
    generator: np.random.Generator | None = None,
    on_best: Callable[[Plan, float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Found:
    """The whole graph placed as the optimum of the graph made into a few groups; nothing is fused.

    A graph of few groups is solved itself. `start` counts when it is better. `evaluations` and `generator`
    are not used: the result depends on the problem, and on `seconds` where they run out.
    """
    began = time.monotonic()
    most = GROUPS.get(problem.num_devices, 9)
    if problem.graph.num_nodes <= most:
        small, of = problem, np.arange(problem.graph.num_nodes)
        solved = optimum(small, seconds=seconds, should_stop=should_stop)
        plan = solved.plan
    else:
        tasks = tasks_of(problem, most)
        small, of = coarse_problem(problem, tasks)
        solved = optimum(small, seconds=seconds, should_stop=should_stop)
        device = np.zeros(tasks.num_tasks, np.int32)
        device[of] = solved.plan.device
        plan = finished(problem, [device[tasks.of]])
    plans = [plan] if start is None else [plan, start]
    best, step_us = _better(problem, plans)
    spent = time.monotonic() - began
    if on_best is not None:
        on_best(best, step_us)
    return Found(best, step_us, solved.evaluations, spent, [(spent, solved.evaluations, step_us)])


@dataclass(eq=False)
class _Tree:
    problem: Problem
    best: Plan
    best_us: float
    should_stop: Callable[[], bool] | None
    seconds: float
    evaluations: int = 0
    members: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.seconds
        graph, tables = self.problem.graph, tables_of(self.problem)
        _, group = np.unique(graph.groups, return_inverse=True)
        work = np.bincount(group, self.problem.run_us.min(axis=0))
        rank = np.empty(len(work), np.int64)
        rank[np.argsort(-work, kind="stable")] = np.arange(len(work))
        self.of = rank[group]
        self.members = [np.flatnonzero(self.of == one) for one in range(len(work))]
        self.loads = np.stack([np.bincount(self.of, row, len(work)) for row in self.problem.run_us])
        self.is_symmetric = _is_symmetric(self.problem)
        self.least_us = self.problem.run_us.min(axis=0)
        self.source, self.target = tables.source, tables.target
        self.out_starts = tables.out_starts
        runs = np.flatnonzero(~tables.is_free)
        self.orders = [np.array(one) for one in permutations(runs)] if len(runs) <= MOST_PERMUTED else []

    def descend(self, placed: Int32[np.ndarray, " group"], depth: int, num_used: int) -> bool:
        """Whether everything below was tried or ruled out."""
        if time.monotonic() > self.ends or (self.should_stop is not None and self.should_stop()):
            return False
        if self.bound(placed, depth) >= self.best_us * (1 - 1e-12):
            return True
        if depth == len(placed):
            self.try_orders(placed[self.of])
            return True
        choices = range(self.problem.num_devices)
        if self.is_symmetric:
            choices = range(min(num_used + 1, self.problem.num_devices))
        is_whole = True
        busy = self.loads[:, :depth].copy()
        busy[placed[:depth], np.arange(depth)] *= -1
        for to in sorted(choices, key=lambda one: -busy[one][busy[one] < 0].sum()):
            placed[depth] = to
            is_whole &= self.descend(placed, depth + 1, max(num_used, to + 1))
        placed[depth] = -1
        return is_whole

    def bound(self, placed: Int32[np.ndarray, " group"], depth: int) -> float:
        """No plan with these devices is shorter."""
        problem = self.problem
        load = np.bincount(
            placed[:depth], self.loads[placed[:depth], np.arange(depth)], problem.num_devices
        ).astype(np.float64)
        spread = (load.sum() + self.loads[:, depth:].min(axis=0).sum()) / problem.num_devices
        device = placed[self.of]
        home, there = device[self.source], device[self.target]
        sent = (home != there) & (home >= 0) & (there >= 0)
        edge_us = np.zeros(len(self.source))
        link = problem.routes[home[sent], there[sent]]
        size = problem.graph.output_bytes[self.source[sent]]
        edge_us[sent] = problem.link_latency_us[link] + size / problem.link_bytes_per_us[link]
        run_us = np.where(device >= 0, problem.run_us[device, np.arange(len(device))], self.least_us)
        path = longest_to_end(self.out_starts, self.target, run_us, edge_us).max()
        _, once = np.unique(self.source[sent] * problem.num_devices + there[sent], return_index=True)
        wire = np.bincount(link[once], edge_us[sent][once], len(problem.link_latency_us))
        wire = wire[~problem.link_is_shared]
        return float(max(load.max(), spread, path, wire.max(initial=0.0)))

    def try_orders(self, device: Int32[np.ndarray, " node"]) -> None:
        num_nodes = len(device)
        if self.orders:
            priority = np.zeros((len(self.orders), num_nodes))
            for row, order in enumerate(self.orders):
                priority[row, order] = np.arange(len(order), 0, -1)
            # what takes no time is sent in the order of what it comes from
            for edge in range(len(self.source)):
                free = self.target[edge]
                if self.least_us[free] == 0:
                    priority[:, free] = np.maximum(priority[:, free], priority[:, self.source[edge]])
        else:
            program_order = -np.arange(num_nodes, dtype=np.float64)
            priority = np.stack([upward_rank(self.problem, device), program_order])
        scores = evaluate(self.problem, np.repeat(device[None], len(priority), axis=0), priority)
        self.evaluations += len(priority)
        steps = np.where(scores.is_valid, scores.step_us, np.inf)
        row = int(np.argmin(steps))
        if steps[row] < self.best_us:
            self.best_us = float(steps[row])
            self.best = Plan(device, priority[row], np.arange(num_nodes))


def _better(problem: Problem, plans: list[Plan]) -> tuple[Plan, float]:
    scores = [evaluate(problem, one.device[None], one.priority[None], one.cluster[None]) for one in plans]
    steps = [float(one.step_us[0]) for one in scores]
    keys = [(not one.is_valid[0], step) for one, step in zip(scores, steps, strict=True)]
    at = keys.index(min(keys))
    return plans[at], steps[at]


def _is_symmetric(problem: Problem) -> bool:
    # devices and links alike, and links either one for all, one a sender, or one a pair
    if np.ptp(problem.run_us, axis=0).max() > 0 or np.ptp(problem.memory_bytes) > 0:
        return False
    used = problem.routes[problem.routes >= 0]
    for values in (problem.link_latency_us, problem.link_bytes_per_us, problem.link_is_shared.astype(float)):
        if len(used) and np.ptp(values[used]) > 0:
            return False
    rows = [set(row[row >= 0].tolist()) for row in problem.routes]
    num_links = len(set(used.tolist()))
    one_a_sender = all(len(row) <= 1 for row in rows) and num_links in (0, 1, len(rows))
    return one_a_sender or num_links == len(used)
