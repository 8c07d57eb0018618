"""Several objectives at once: what each model has of them, and the models that no other beats in all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pomona.find.search.budgets import known_latencies
from pomona.find.search.leaders import Standing, is_reevaluation, standings
from pomona.find.search.problem import Problem
from pomona.fit.trials.strategies.pareto import on_front
from pomona.fit.trials.trial import Trial
from pomona.foundation.run import Run


@dataclass(frozen=True)
class Unbeaten:
    """A model that no other beats in all objectives; `values` are by the names of the objectives, those of
    "score" in the unit of the first metric and with luck taken off."""

    standing: Standing
    values: dict[str, float]

    def to_json(self, metric: str) -> dict[str, Any]:
        """The model as plain data."""
        told = {
            metric if name == "score" else name: value if name in ("score", "latency") else int(value)
            for name, value in self.values.items()
        }
        interval = self.standing.interval
        return {
            "trial": self.standing.trial,
            **told,
            "interval": None if interval is None else list(interval),
        }


def with_objectives(trials: Sequence[Trial], problem: Problem, run: Run) -> tuple[Trial, ...]:
    """The trials with what strategies weigh beside the score among their values.

    A network is exported and timed once; one that cannot be exported has no latency.
    """
    wanted = {str(name) for name in problem.settings.objectives} - {"score"}
    if not wanted:
        return tuple(trials)
    completed = [trial for trial in trials if trial.state == "completed"]
    latencies = known_latencies(completed, problem, run) if "latency" in wanted else {}
    return tuple(
        replace(trial, values={**trial.values, **_costs(trial, wanted, latencies)}) for trial in trials
    )


def front(trials: Sequence[Trial], problem: Problem, run: Run) -> tuple[Unbeaten, ...]:
    """The models that no other beats in every objective of the search, the best score first; of models that
    are equal in all the first found."""
    names = problem.settings.objectives
    sign = 1.0 if problem.yardstick.greater_is_better else -1.0
    known = standings(trials, problem.yardstick)
    found = with_objectives([one for one in trials if not is_reevaluation(one)], problem, run)
    models = []
    for trial in found:
        standing = known.get(trial.genome_hash)
        if standing is None or trial.number != standing.trial:
            continue
        values = {**trial.values, "score": standing.mean}
        if all(name in values for name in names):
            models.append(Unbeaten(standing, {name: float(values[name]) for name in names}))
    costs = [
        [-sign * model.values[name] if name == "score" else model.values[name] for name in names]
        for model in models
    ]
    is_unbeaten = on_front(np.array(costs).reshape(-1, len(names)))
    unbeaten = {
        tuple(cost): model
        for cost, model, is_kept in reversed(list(zip(costs, models, is_unbeaten, strict=True)))
        if is_kept
    }
    return tuple(sorted(unbeaten.values(), key=lambda model: -sign * model.values["score"]))


def _costs(trial: Trial, wanted: set[str], latencies: dict[int, float]) -> dict[str, float]:
    known = {name: trial.attributes[name] for name in ("parameters", "flops") if name in trial.attributes}
    if trial.number in latencies:
        known["latency"] = latencies[trial.number]
    return {name: float(value) for name, value in known.items() if name in wanted}
