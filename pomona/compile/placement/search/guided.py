"""Policy and local search under one clock: the policy says where to begin and which moves to try first.

The search goes down a ladder: first a few large units, then finer ones, each rung from the best of the rung
above. On every rung the policy's probabilities for the units, from one pass, propose moves; on the first its
draws are rivals of the simple starts. docs/log.md holds the ways of combining the two that were worse.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64

from pomona.compile.placement.baselines.metis import metis
from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.policy.network import GraphOptimizer, draw, most_probable
from pomona.compile.placement.policy.plans import as_plans, outcome_of
from pomona.compile.placement.policy.ppo import Case, case_of, simulated
from pomona.compile.placement.policy.settings import TASKS, NetworkSettings
from pomona.compile.placement.policy.starts import simple_starts
from pomona.compile.placement.policy.unit_search import Proposals, search_units
from pomona.compile.placement.policy.weights import read_weights
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.simulator.bounds import bounds

OnBest = Callable[[Plan, float], None]


@dataclass(frozen=True)
class GuidedSettings:
    """How policy and search share the work."""

    rungs: tuple[int, ...] = (64, 256, 1024, 0)
    """Numbers of units, in turn; 0: every colocation group. Rungs that merge nothing are left out."""
    shares: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)
    """Of the time, for each rung; what left-out rungs had goes to the others."""
    num_samples: int = 96
    """Draws of the policy that are tried as starts; 0: the policy gives no starts."""
    guided_share: float = 0.3
    """Share of placement moves that the policy proposes; 0: none."""
    num_walks: int = 2
    """Searches on the first rung, each from another start; the best goes on."""


def guided(
    problem: Problem,
    *,
    start: Plan | None = None,
    decided: tuple[str, ...] = TASKS,
    seconds: float,
    evaluations: int | None = None,
    generator: np.random.Generator,
    on_best: OnBest | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    settings: GuidedSettings = GuidedSettings(),
    network: GraphOptimizer | None = None,
) -> Found:
    """The best plan of policy and search together, never worse than `start`.

    Without a start METIS's placement is one. Ends with the seconds, the evaluations or when told to stop.
    `network` is by default the shipped policy.
    """
    watch = _Watch(problem, seconds, evaluations, on_best, should_stop)
    if network is None and (settings.num_samples or settings.guided_share):
        network = read_weights()
    num_levels = network.settings.num_levels if network else NetworkSettings().num_levels
    if start is not None:
        watch.take(start)
    base = metis(problem, generator).device if start is None else start.device
    above: Case | None = None
    for rung, (max_units, share) in enumerate(_rungs(problem, settings)):
        case = case_of(problem, max_units, base)
        log_probs = _asked(network, case, decided)
        if above is not None:
            starts = _finer(above, case)[None]
        else:
            starts = _starts(case, log_probs, decided, num_levels, settings.num_samples, generator)
        _, outcome = simulated(case, decided, torch.from_numpy(starts), num_levels)
        watch.note(case)
        walks = _different(starts, outcome.rewards, settings.num_walks if rung == 0 else 1)
        for done, index in enumerate(walks):
            left = share / (len(walks) - done)
            search_units(
                case,
                decided,
                starts[index],
                num_levels=num_levels,
                seconds=left * watch.seconds_left(),
                evaluations=watch.part_of_evaluations(left, case),
                generator=generator,
                proposals=_proposals(log_probs, decided, settings),
                after_move=lambda case=case: watch.note(case),
                should_stop=lambda case=case: watch.is_over(case),
            )
        watch.close(case)
        above = case
    return watch.found()


def _rungs(problem: Problem, settings: GuidedSettings) -> list[tuple[int, float]]:
    """(number of units, share of what is left) of the rungs that differ from the one below."""
    count = len(np.unique(problem.graph.groups))
    pairs = [
        (rung, share)
        for rung, share in zip(settings.rungs, settings.shares, strict=True)
        if rung == 0 or rung < count
    ]
    left = sum(share for _, share in pairs)
    result = []
    for rung, share in pairs:
        result.append((rung, share / left))
        left = max(left - share, 1e-9)
    return result


def _asked(network: GraphOptimizer | None, case: Case, decided: tuple[str, ...]) -> list[torch.Tensor]:
    if network is None:
        return []
    with torch.no_grad():
        return network(case.inputs, decided)


def _starts(
    case: Case,
    log_probs: list[torch.Tensor],
    decided: tuple[str, ...],
    num_levels: int,
    num_samples: int,
    generator: np.random.Generator,
) -> Int64[np.ndarray, "plan task unit"]:
    """Simple plans, the base placement among them, and the policy's."""
    found = [simple_starts(case.features, decided, num_levels)]
    if num_samples and log_probs:
        draws = torch.Generator().manual_seed(int(generator.integers(2**62)))
        found += [most_probable(log_probs).numpy(), draw(log_probs, num_samples, draws).numpy()]
    return np.concatenate(found)


def _finer(above: Case, case: Case) -> Int64[np.ndarray, "task unit"]:
    """The best of the rung above in the units of this one, which are parts of its units."""
    assert above.best_actions is not None
    _, first = np.unique(case.features.unit_of_node, return_index=True)
    return above.best_actions.numpy()[:, above.features.unit_of_node[first]]


def _different(starts: Int64[np.ndarray, "plan task unit"], rewards: np.ndarray, wanted: int) -> list[int]:
    """The best start, and the best of those that place a tenth of the units otherwise, up to `wanted`."""
    chosen: list[int] = []
    for index in np.argsort(-rewards, kind="stable").tolist():
        if len(chosen) == wanted:
            break
        if all((starts[index, 0] != starts[other, 0]).mean() >= 0.1 for other in chosen):
            chosen.append(index)
    return chosen


def _proposals(
    log_probs: list[torch.Tensor], decided: tuple[str, ...], settings: GuidedSettings
) -> Proposals:
    """Devices by the policy's probabilities, units by how unsure it is of them."""
    if not log_probs or not settings.guided_share or decided[0] != "placement":
        return Proposals(guided_share=0.0)
    chances = log_probs[0].exp().double().numpy()
    chances = chances / chances.sum(axis=1, keepdims=True)
    entropy = -(chances * np.log(np.maximum(chances, 1e-12))).sum(axis=1) + 0.05
    return Proposals(chances, entropy / entropy.sum(), settings.guided_share)


class _Watch:
    """The clock, the count of simulations, and the best plan over all rungs."""

    def __init__(
        self,
        problem: Problem,
        seconds: float,
        evaluations: int | None,
        on_best: OnBest | None,
        should_stop: Callable[[], bool],
    ):
        self.problem, self.seconds, self.evaluations = problem, seconds, evaluations
        self.on_best, self.should_stop = on_best, should_stop
        self.started = time.monotonic()
        self.closed = 0
        self.reward, self.step_us = -np.inf, np.inf
        self.plan: Plan | None = None
        self.history: list[tuple[float, int, float]] = []

    def take(self, plan: Plan) -> None:
        """Counts a plan that is there already."""
        outcome = outcome_of(self.problem, as_plans(plan), bounds(self.problem).lower_us)
        self.closed += 1
        self._better(plan, float(outcome.rewards[0]), float(outcome.step_us[0]), self.closed)

    def note(self, case: Case) -> None:
        """Looks at what the case has found."""
        if case.best_reward > self.reward and case.best_plan is not None:
            self._better(case.best_plan, case.best_reward, case.best_step_us, self.closed + case.evaluations)

    def close(self, case: Case) -> None:
        """The end of a rung."""
        self.closed += case.evaluations

    def is_over(self, case: Case) -> bool:
        """Time, simulations or patience are spent."""
        spent = self.evaluations is not None and self.closed + case.evaluations >= self.evaluations
        return spent or self.seconds_left() <= 0 or self.should_stop()

    def seconds_left(self) -> float:
        return max(self.seconds - (time.monotonic() - self.started), 1e-6)

    def part_of_evaluations(self, share: float, case: Case) -> int | None:
        """A share of the simulations that are left."""
        if self.evaluations is None:
            return None
        return max(int(share * (self.evaluations - self.closed - case.evaluations)), 1)

    def found(self) -> Found:
        assert self.plan is not None
        spent = time.monotonic() - self.started
        return Found(self.plan, self.step_us, self.closed, spent, self.history)

    def _better(self, plan: Plan, reward: float, step_us: float, evaluations: int) -> None:
        if reward <= self.reward:
            return
        self.plan, self.reward, self.step_us = plan, reward, step_us
        self.history.append((time.monotonic() - self.started, evaluations, step_us))
        if self.on_best is not None:
            self.on_best(plan, step_us)
