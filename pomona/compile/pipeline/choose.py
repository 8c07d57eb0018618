"""Ways to find cuts, and the best of what they find by the clock."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pomona.compile.pipeline.bisection import bisected_cuts
from pomona.compile.pipeline.costs import Costs
from pomona.compile.pipeline.exact import exact_cuts
from pomona.compile.pipeline.splits import even_cuts
from pomona.foundation.errors import unknown_name

THRESHOLD = 0.01
"""Share of a stage's time at which bisection ends: less cannot be timed."""

Cuts = tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """Cuts that a method found, and what each stage takes when its computation is timed as a whole."""

    method: str
    cuts: Cuts
    """Indices into the places, first and last included."""
    stage_us: tuple[float, ...]

    @property
    def slowest_us(self) -> float:
        """Time of the slowest stage, which sets the pace."""
        return max(self.stage_us)


def choose(
    costs: Costs, num_stages: int, method: str, *, seconds: float, should_stop: Callable[[], bool]
) -> tuple[Found, list[Found]]:
    """The best cuts by time, and those of every method that was asked, the baselines always among them.

    Where a baseline does not fit the memory it is left out.
    """
    if method != "auto" and method not in METHODS:
        raise unknown_name("method", method, [*METHODS, "auto"])
    deadline = time.monotonic() + seconds
    names = list(METHODS) if method == "auto" else list(dict.fromkeys((*BASELINES, method)))

    def is_late() -> bool:
        return should_stop() or time.monotonic() > deadline

    found = []
    for name in names:
        cuts = METHODS[name](costs, num_stages, is_late)
        stage_us = tuple(costs.measured(a, b) for a, b in pairwise(cuts))
        found.append(Found(name, cuts, stage_us))
    wanted = [one for one in found if method in ("auto", one.method)]
    best = min(wanted, key=lambda one: one.slowest_us)
    return best, [one for one in found if np.isfinite(one.slowest_us)]


def _equal_nodes(costs: Costs, num_stages: int, is_late: Callable[[], bool]) -> Cuts:
    return even_cuts(np.asarray(costs.traced.places, float), num_stages)


def _equal_parameters(costs: Costs, num_stages: int, is_late: Callable[[], bool]) -> Cuts:
    chain = costs.traced.chain
    amount = [chain.part_bytes(0, place) for place in costs.traced.places]
    return even_cuts(np.asarray(amount, float), num_stages)


def _exact(costs: Costs, num_stages: int, is_late: Callable[[], bool]) -> Cuts:
    return exact_cuts(costs.additive, num_stages, lesser=costs.crossing)


def _bisection(costs: Costs, num_stages: int, is_late: Callable[[], bool]) -> Cuts:
    additive = costs.additive
    ways = [method(costs, num_stages, is_late) for method in (_equal_nodes, _equal_parameters, _exact)]
    return bisected_cuts(
        costs.measured,
        costs.num_places,
        num_stages,
        start=min(ways, key=lambda cuts: max(costs.measured(a, b) for a, b in pairwise(cuts))),
        threshold_us=THRESHOLD
        * float(additive[0, -1] if np.isfinite(additive[0, -1]) else 100.0)
        / num_stages,
        guess=additive,
        should_stop=is_late,
    )


BASELINES: Mapping[str, Callable[[Costs, int, Callable[[], bool]], Cuts]] = {
    "equal-nodes": _equal_nodes,
    "equal-parameters": _equal_parameters,
}

METHODS: Mapping[str, Callable[[Costs, int, Callable[[], bool]], Cuts]] = {
    **BASELINES,
    "exact": _exact,
    "bisection": _bisection,
}
