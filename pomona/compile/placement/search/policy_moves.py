"""Moves that a policy proposes for where a search stands: which units should go elsewhere, and where."""

import time
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float64, Int64

from pomona.compile.placement.policy.features import neighbours_of
from pomona.compile.placement.policy.network import GraphOptimizer
from pomona.compile.placement.policy.ppo import case_of
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.decisions import Decisions
from pomona.compile.placement.search.neighbourhoods import Move, View, placed

MOST_TIME = 0.03


@dataclass(frozen=True, eq=False)
class Advice:
    """What the policy says of one placement, unit by unit."""

    unit_of_node: Int64[np.ndarray, " node"]
    chances: Float64[np.ndarray, "unit device"]
    first_node: Int64[np.ndarray, " unit"]
    neighbours: list[np.ndarray]


@dataclass(eq=False)
class Adviser:
    """Asks the policy about the search's placement, again after `patience` proposals at the least.

    A question costs as much as some tens of simulations: it is asked anew only while questions have taken
    less than MOST_TIME of the time, unless `by_count` says that only the proposals count, which a search by
    evaluations needs to be the same each time.
    """

    problem: Problem
    network: GraphOptimizer
    max_units: int
    patience: int
    by_count: bool = False
    proposals: int = 0
    asking_s: float = 0.0
    began: float = field(default_factory=time.monotonic)
    advice: Advice | None = None

    def about(self, view: View) -> Advice:
        """The advice for the view's placement or for an earlier one."""
        self.proposals += 1
        if self.advice is None or (self.proposals > self.patience and self._has_time()):
            asked = time.monotonic()
            self.advice, self.proposals = self._ask(view.here.decisions.device), 0
            self.asking_s += time.monotonic() - asked
        return self.advice

    def _has_time(self) -> bool:
        return self.by_count or self.asking_s < MOST_TIME * (time.monotonic() - self.began)

    def _ask(self, device: np.ndarray) -> Advice:
        case = case_of(self.problem, self.max_units, np.array(device, np.int32), with_defaults=False)
        with torch.no_grad():
            chances = self.network(case.inputs, ("placement",))[0].exp().double().numpy()
        of_node = case.features.unit_of_node
        _, first = np.unique(of_node, return_index=True)
        return Advice(of_node, chances, first, neighbours_of(case.features))


def policy_moves(adviser: Adviser) -> dict[str, Move]:
    """One unit, or a patch of connected ones, goes where the policy would rather have it."""

    def move_unit(view: View, generator: np.random.Generator) -> Decisions | None:
        return _moved(view, adviser.about(view), generator, 1)

    def move_patch(view: View, generator: np.random.Generator) -> Decisions | None:
        return _moved(view, adviser.about(view), generator, int(2 ** generator.integers(1, 5)))

    return {f"policy unit {adviser.max_units}": move_unit, f"policy patch {adviser.max_units}": move_patch}


def _moved(view: View, advice: Advice, generator: np.random.Generator, size: int) -> Decisions | None:
    here = view.here.decisions
    current = here.device[advice.first_node]
    units = np.arange(len(current))
    elsewhere = advice.chances.copy()
    elsewhere[units, current] = 0.0
    wish = np.cumsum(elsewhere.sum(axis=1) + 1e-4)
    first = int(np.searchsorted(wish, generator.random() * wish[-1]))
    sums = np.cumsum(elsewhere[first] + 1e-6 * (np.arange(elsewhere.shape[1]) != current[first]))
    to = int(np.searchsorted(sums, generator.random() * sums[-1]))
    patch = _patch(advice, current, first, size, generator)
    device = here.device.copy()
    device[np.isin(advice.unit_of_node, patch)] = to
    if np.array_equal(device, here.device):
        return None
    return placed(view, device)


def _patch(
    advice: Advice, current: np.ndarray, first: int, size: int, generator: np.random.Generator
) -> list[int]:
    """Up to `size` connected units that are on one device now."""
    patch, seen = [first], {first}
    for _ in range(4 * size):
        if len(patch) >= size:
            break
        around = advice.neighbours[patch[int(generator.integers(len(patch)))]]
        if len(around) == 0:
            continue
        unit = int(around[int(generator.integers(len(around)))])
        if unit not in seen and current[unit] == current[first]:
            patch.append(unit)
            seen.add(unit)
    return patch
