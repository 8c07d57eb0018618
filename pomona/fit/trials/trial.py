"""A trial: one thing tried, from the proposal to its values, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TrialState = Literal["waiting", "running", "completed", "failed", "pruned"]

UNFINISHED: tuple[TrialState, ...] = ("waiting", "running")


@dataclass(frozen=True)
class Proposal:
    """What to try. `genome` and `attributes` are JSON data, `genome_hash` is equal for equal genomes.

    `seed` tells apart trials of one genome: a store never holds two trials of the same (genome_hash, seed).
    `parents` are numbers of trials, `mutation` says in words what was changed in the first of them.
    """

    genome: Any
    genome_hash: str
    seed: int = 0
    parents: tuple[int, ...] = ()
    mutation: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One record of a store. The higher the `score`, the better; only a completed trial surely has one.

    `reports` are scores on the way, by step. `attempts` counts how often a trainer began it. `started` and
    `finished` are seconds since 1970.
    """

    number: int
    state: TrialState
    genome: Any
    genome_hash: str
    seed: int
    parents: tuple[int, ...]
    mutation: str
    score: float | None
    values: Mapping[str, float]
    attributes: Mapping[str, Any]
    reports: Mapping[int, float]
    attempts: int
    started: float | None
    finished: float | None
    trainer: str = ""
    """Who began it last, where several share a store."""

    @property
    def seconds(self) -> float | None:
        """How long the last attempt took; None for an unfinished trial."""
        return None if self.started is None or self.finished is None else self.finished - self.started
