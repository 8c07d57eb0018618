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
    min_queries: int
    """Fewest from which the percentile can be claimed with 99 % confidence; samples in offline."""
    result: Literal["latency", "rate"]
    means: str


SCENARIOS: dict[str, Scenario] = {
    "single": Scenario(
        "single",
        "SingleStream",
        0.90,
        64,
        "latency",
        "one sample a query, the next when the last is answered",
    ),
    "multi": Scenario(
        "multi", "MultiStream", 0.99, 662, "latency", "several samples a query, the next when it is answered"
    ),
    "server": Scenario(
        "server", "Server", 0.99, 459, "rate", "queries at random times, whether or not others are answered"
    ),
    "offline": Scenario("offline", "Offline", 0.90, 24_576, "rate", "all samples are there at the start"),
}
