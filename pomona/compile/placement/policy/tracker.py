"""The best plan a learning baseline has met, and when: what a Found is made from."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int64

from pomona.compile.placement.plan import Found, Plan
from pomona.compile.placement.policy.features import Features
from pomona.compile.placement.policy.plans import Outcome, Plans, outcome_of, path_order
from pomona.compile.placement.problem import Problem


@dataclass(eq=False)
class Tracker:
    """Simulates placements of units under longest-path order and keeps the best."""

    problem: Problem
    features: Features
    reference_us: float
    seconds: float
    evaluations: int | None
    on_best: Callable[[Plan, float], None] | None
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    best_reward: float = -np.inf
    best: Plan | None = None
    history: list[tuple[float, int, float]] = field(default_factory=list)

    def simulate(self, device_of_unit: Int64[np.ndarray, "plan unit"]) -> Outcome:
        """What comes of these placements; counts them."""
        device = device_of_unit[:, self.features.unit_of_node].astype(np.int32)
        priority = np.stack([path_order(self.problem, row) for row in device])
        plans = Plans(device, priority, None)
        outcome = outcome_of(self.problem, plans, self.reference_us)
        self.done += len(device)
        best = int(outcome.rewards.argmax())
        if outcome.rewards[best] > self.best_reward:
            self.best_reward, self.best = float(outcome.rewards[best]), plans[best]
            step_us = float(outcome.step_us[best])
            self.history.append((time.monotonic() - self.started, self.done, step_us))
            if self.on_best is not None:
                self.on_best(self.best, step_us)
        return outcome

    def is_over(self) -> bool:
        """The seconds or the evaluations are spent."""
        spent = time.monotonic() - self.started
        return spent >= self.seconds or (self.evaluations is not None and self.done >= self.evaluations)

    def found(self) -> Found:
        """What was found; one placement at least must have been simulated."""
        assert self.best is not None
        return Found(self.best, self.history[-1][2], self.done, time.monotonic() - self.started, self.history)
