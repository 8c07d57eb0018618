"""What a search found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Counts:
    """How many trials ended how, and how many genomes came up again and were not trained again."""

    completed: int
    failed: int
    pruned: int
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


@dataclass(frozen=True)
class Choice:
    """What was chosen on validation to be used: the ensemble, or the best network by itself."""

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
            },
            "ensemble": {
                "members": list(ensemble.members),
                "weights": list(ensemble.weights),
                **self._scores(ensemble.valid, ensemble.test),
            },
            "baseline": {"name": cheap["name"], **self._scores(cheap["valid"], cheap["test"])},
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
