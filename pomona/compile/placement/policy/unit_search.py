"""Annealed local search over a policy's own actions: what it is taught with, and what it then guides.

A move changes one decision for a unit, for a connected patch of units or for a stretch of the step. Worse
plans are kept with a chance that falls with the time spent.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64

from pomona.compile.placement.policy.features import neighbours_of
from pomona.compile.placement.policy.ppo import Case, simulated

FIRST_TEMPERATURE = 0.02
"""Share of the step time that a plan may be worse by and be kept with chance 1/e; falls to a fiftieth."""
PATCH_SIZES = (1, 1, 2, 4, 8, 16)


@dataclass(frozen=True, eq=False)
class Proposals:
    """Where moves go."""

    device: Float64[np.ndarray, "unit device"] | None = None
    """Chances of devices for each unit; None: those of its neighbours or any."""
    unit: Float64[np.ndarray, " unit"] | None = None
    """Chances that a move starts at a unit; None: equal."""
    guided_share: float = 0.5
    """Share of moves that use the chances."""


def search_units(
    case: Case,
    tasks: tuple[str, ...],
    actions: Int64[np.ndarray, "task unit"],
    *,
    num_levels: int,
    seconds: float,
    evaluations: int | None = None,
    generator: np.random.Generator,
    proposals: Proposals = Proposals(),
    after_move: Callable[[], None] = lambda: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Int64[np.ndarray, "task unit"]:
    """Actions at least as good as those given, when seconds or simulations end; the case keeps the best."""
    moves = _Moves(case, tasks, num_levels, generator, proposals)
    started, first = time.monotonic(), case.evaluations
    current = actions.copy()
    reward = _reward(case, tasks, current, num_levels)
    best, best_reward = current, reward
    while True:
        spent = (time.monotonic() - started) / seconds
        if evaluations is not None:
            spent = max(spent, (case.evaluations - first) / evaluations)
        if spent >= 1 or should_stop():
            return best
        tried = moves.changed(current)
        if tried is None:
            continue
        value = _reward(case, tasks, tried, num_levels)
        # the reward is a root, so half of the step's relative change
        temperature = 0.5 * FIRST_TEMPERATURE * 0.02**spent * abs(reward)
        if value >= reward or generator.random() < np.exp((value - reward) / temperature):
            current, reward = tried, value
            if value > best_reward:
                best, best_reward = tried, value
        after_move()


def _reward(case: Case, tasks: tuple[str, ...], actions: np.ndarray, num_levels: int) -> float:
    _, outcome = simulated(case, tasks, torch.from_numpy(actions[None]), num_levels)
    return float(outcome.rewards[0])


class _Moves:
    def __init__(
        self,
        case: Case,
        tasks: tuple[str, ...],
        num_levels: int,
        generator: np.random.Generator,
        proposals: Proposals,
    ):
        self.tasks, self.num_levels, self.generator, self.proposals = tasks, num_levels, generator, proposals
        self.can_hold = case.features.can_hold
        self.num_units, self.num_devices = self.can_hold.shape
        self.unit_chances = None if proposals.unit is None else np.cumsum(proposals.unit)
        self.neighbours = neighbours_of(case.features)

    def changed(self, actions: np.ndarray) -> np.ndarray | None:
        """The actions after one random move, None when it changes nothing."""
        is_guided = self.generator.random() < self.proposals.guided_share
        task = self._task()
        units = self._units(is_guided)
        result = actions.copy()
        if self.tasks[task] == "placement":
            device = self._device(actions[task], units, is_guided)
            units = units[self.can_hold[units, device]]
            result[task, units] = device
        elif self.generator.random() < 0.5:
            shift = (-2, -1, 1, 2)[int(self.generator.integers(4))]
            result[task, units] = np.clip(result[task, units] + shift, 0, self.num_levels - 1)
        else:
            result[task, units] = self.generator.integers(self.num_levels)
        return None if np.array_equal(result, actions) else result

    def _task(self) -> int:
        if self.tasks[0] != "placement" or len(self.tasks) == 1:
            return int(self.generator.integers(len(self.tasks)))
        return 0 if self.generator.random() < 0.7 else int(self.generator.integers(1, len(self.tasks)))

    def _units(self, is_guided: bool) -> np.ndarray:
        first = self._first(is_guided)
        if self.generator.random() < 0.15:
            length = int(np.exp(self.generator.uniform(0, np.log(max(self.num_units // 2, 2)))))
            return np.arange(first, min(first + length, self.num_units))
        size = PATCH_SIZES[int(self.generator.integers(len(PATCH_SIZES)))]
        patch, seen = [first], {first}
        while len(patch) < size:
            around = self.neighbours[patch[int(self.generator.integers(len(patch)))]]
            fresh = [unit for unit in around.tolist() if unit not in seen]
            if not fresh:
                break
            unit = fresh[int(self.generator.integers(len(fresh)))]
            patch.append(unit)
            seen.add(unit)
        return np.array(patch)

    def _first(self, is_guided: bool) -> int:
        if is_guided and self.unit_chances is not None:
            return min(int(np.searchsorted(self.unit_chances, self.generator.random())), self.num_units - 1)
        return int(self.generator.integers(self.num_units))

    def _device(self, placement: np.ndarray, units: np.ndarray, is_guided: bool) -> int:
        if is_guided and self.proposals.device is not None:
            chances = np.cumsum(self.proposals.device[units[0]])
            return min(int(np.searchsorted(chances, self.generator.random())), self.num_devices - 1)
        around = self.neighbours[units[int(self.generator.integers(len(units)))]]
        if len(around) and self.generator.random() < 0.7:
            return int(placement[around[int(self.generator.integers(len(around)))]])
        return int(self.generator.integers(self.num_devices))
