"""What is said of a system that was measured: the numbers that `--json` prints."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pomona.compile.stopwatch.scenarios import Scenario
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.compile.stopwatch.timings import Timings, joined
from pomona.compile.stopwatch.validity import claimed_ms, percentile_of, reasons_against
from pomona.export.quality import Quality
from pomona.foundation.statistics.interval import t_interval


@dataclass(frozen=True)
class Outcome:
    """A system and all that was seen of it, a round each."""

    name: str
    runtime: str
    rounds: tuple[Timings, ...]
    quality: Quality | None
    energy_j: float | None
    warm_up_s: float
    rate: float | None = None
    """Queries a second that were sent, in the scenario server."""

    @property
    def timings(self) -> Timings:
        """Of all rounds."""
        return self.rounds[0] if len(self.rounds) == 1 else joined(list(self.rounds))


def summary(outcome: Outcome, scenario: Scenario, settings: BenchSettings) -> dict[str, Any]:
    """The numbers of one system."""
    timings = outcome.timings
    reasons = reasons_against(
        timings, scenario, settings, quality=outcome.quality, rounds=len(outcome.rounds)
    )
    samples = timings.num_queries * timings.samples_per_query
    return {
        "scenario": scenario.name,
        "system": outcome.name,
        "runtime": outcome.runtime,
        "valid": not reasons,
        "reasons": reasons,
        "queries": 1 if scenario.name == "offline" else timings.num_queries,
        "samples": samples,
        "p50_ms": timings.percentile_ms(0.5),
        "p90_ms": timings.percentile_ms(0.9),
        "p99_ms": timings.percentile_ms(0.99),
        "early_stopping_ms": claimed_ms(timings, scenario, settings),
        "percentile": percentile_of(scenario, settings),
        "qps": timings.samples_per_s,
        "sent_per_s": outcome.rate,
        "quality": None if outcome.quality is None else asdict(outcome.quality),
        "seconds": timings.seconds,
        "joules_per_sample": None if outcome.energy_j is None else outcome.energy_j / max(samples, 1),
    }


def speed(timings: Timings, scenario: Scenario, settings: BenchSettings) -> float | None:
    """What systems are compared by, more is better: 1 / latency at the percentile, or samples a second."""
    if scenario.result == "rate" and settings.qps is None:
        return timings.samples_per_s or None
    latency = timings.percentile_ms(percentile_of(scenario, settings))
    return None if not latency else 1 / latency


def ratios(
    outcomes: Sequence[Outcome], scenario: Scenario, settings: BenchSettings
) -> dict[str, Mapping[str, Any]]:
    """System → how many times as fast as the first one, round by round, with a 95 % interval over rounds."""
    first, found = outcomes[0], {}
    for other in outcomes[1:]:
        pairs = [
            (speed(own, scenario, settings), speed(base, scenario, settings))
            for own, base in zip(other.rounds, first.rounds, strict=True)
        ]
        logs = [float(np.log(own / base)) for own, base in pairs if own and base]
        low = high = None
        if len(logs) > 1:
            interval = t_interval(logs)
            low, high = float(np.exp(interval.low)), float(np.exp(interval.high))
        ratio = float(np.exp(np.mean(logs))) if logs else None
        found[other.name] = {"against": first.name, "ratio": ratio, "low": low, "high": high}
    return found
