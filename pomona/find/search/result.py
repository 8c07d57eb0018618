"""What a search found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pomona.find.search.leaders import Standing


@dataclass(frozen=True)
class Counts:
    """How many trials ended how; how many completed ones trained a known model again with a fresh seed, and
    how many genomes came up again and were not trained again."""

    completed: int
    failed: int
    pruned: int
    reevaluated: int
    duplicates_avoided: int


@dataclass(frozen=True)
class Best:
    """The winner: means over its trainings with fresh seeds, none of which the search saw."""

    trial: int
    """Number of the trial that found it."""
    valid: dict[str, float]
    test: dict[str, float]
    test_of_seeds: tuple[float, ...]
    """The first metric of each training."""
    parameters: int
    latency_ms: float | None
    """Of the exported network for one example; None where it cannot be exported."""
    standing: Standing | None
    """What is to be expected of it on validation, the luck of being chosen taken off."""


@dataclass(frozen=True)
class Choice:
    """What was chosen on validation to be used: the ensemble, or the best network by itself."""

    combination: str
    """How: a name in COMBINATIONS, or "alone"."""

    members: tuple[str, ...]
    weights: tuple[float, ...]
    valid: dict[str, float]
    test: dict[str, float]


@dataclass(frozen=True)
class SearchResult:
    """A finished search; `artifact` and `report` are relative to the run's folder."""

    task: str
    kind: str
    metric: str
    trials: Counts
    best: Best
    ensemble: Choice
    baseline: dict[str, Any]
    """Name, valid and test of the strongest cheap method."""
    student: dict[str, Any] | None
    """The network that the ensemble taught, as `Student.summary` tells it; None where none was wanted."""
    unbeaten: tuple[dict[str, Any], ...]
    """With several objectives: the models that no other beats in all of them, the best score first."""
    seconds: float
    artifact: str
    report: str

    def summary(self) -> dict[str, Any]:
        """What `pomona search --json` prints: scores are the first metric, all others are beside them."""
        best, ensemble, cheap = self.best, self.ensemble, self.baseline
        return {
            "task": self.task,
            "kind": self.kind,
            "metric": self.metric,
            "trials": vars(self.trials).copy(),
            "best": {
                "trial": best.trial,
                **self._scores(best.valid, best.test),
                "test_of_seeds": list(best.test_of_seeds),
                "parameters": best.parameters,
                "latency_ms": best.latency_ms,
                "corrected": _corrected(best.standing),
            },
            "ensemble": {
                "members": list(ensemble.members),
                "weights": list(ensemble.weights),
                "combination": ensemble.combination,
                **self._scores(ensemble.valid, ensemble.test),
            },
            "baseline": {"name": cheap["name"], **self._scores(cheap["valid"], cheap["test"])},
            "student": self.student,
            "pareto": list(self.unbeaten),
            "seconds": self.seconds,
            "artifact": self.artifact,
            "report": self.report,
        }

    def _scores(self, valid: Mapping[str, float], test: Mapping[str, float]) -> dict[str, Any]:
        return {
            "valid": valid.get(self.metric),
            "test": test.get(self.metric),
            "valid_metrics": dict(valid),
            "test_metrics": dict(test),
        }


def _corrected(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "search": standing.raw,
        "valid": standing.mean,
        "interval": None if standing.interval is None else list(standing.interval),
        "trainings": standing.num_seeds,
    }
