"""The four ways in which queries come, and what the rules ask of each.

MLPerf inference policies as of 2026-07 (commit ac93e89): each runs at least 600 s.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Scenario:
    """How queries come, and what is claimed of them."""

    name: str
    title: str
    """MLPerf's name."""
    percentile: float
    spare: int
    """Queries that may be slow where the fewest that claim anything are counted."""
    result: Literal["latency", "rate"]
    means: str


OFFLINE_SAMPLES = 24_576
"""Fewest samples of the scenario offline."""

MULTI_SAMPLES = 8
"""Samples in a query of the scenario multi."""

_ROWS = (
    Scenario(
        "single", "SingleStream", 0.90, 1, "latency", "one sample a query, the next when it is answered"
    ),
    Scenario(
        "multi", "MultiStream", 0.99, 1, "latency", "several samples a query, the next when it is answered"
    ),
    Scenario(
        "server", "Server", 0.99, 0, "rate", "queries at random times, whether or not others are answered"
    ),
    Scenario("offline", "Offline", 0.90, 0, "rate", "all samples are there at the start"),
)

SCENARIOS: dict[str, Scenario] = {row.name: row for row in _ROWS}
