"""A store of trials in memory: for small budgets, tests and benchmarks of strategies."""

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pomona.fit.trials.store import MAX_ATTEMPTS, best_first
from pomona.fit.trials.trial import Proposal, Trial, TrialState
from pomona.foundation.errors import RunError
from pomona.foundation.files import write_bytes


class MemoryStore:
    """A TrialStore that ends with its process; `folder` takes the trials' files."""

    def __init__(self, folder: Path | None = None, *, grace_s: float = 120.0):
        self._folder = folder
        self._grace_s = grace_s
        self._trials: list[Trial] = []
        self._heartbeats: dict[int, float] = {}
        self._numbers: dict[str, list[int]] = {}
        self._own: set[int] = set()
        self._most: int | None = None

    def limit(self, num_trials: int | None) -> None:
        self._most = num_trials

    def claim(self, proposal: Proposal) -> Trial | None:
        if any(trial.seed == proposal.seed for trial in self.by_genome_hash(proposal.genome_hash)):
            return None
        number = len(self._trials)
        if self._most is not None and number >= self._most:
            return None
        self._trials.append(
            Trial(
                number,
                "waiting",
                proposal.genome,
                proposal.genome_hash,
                proposal.seed,
                proposal.parents,
                proposal.mutation,
                score=None,
                values={},
                attributes=dict(proposal.attributes),
                reports={},
                attempts=0,
                started=None,
                finished=None,
            )
        )
        self._numbers.setdefault(proposal.genome_hash, []).append(number)
        return self._start(number)

    def claim_waiting(self) -> Trial | None:
        waiting = [trial.number for trial in self._trials if trial.state == "waiting"]
        return self._start(waiting[0]) if waiting else None

    def heartbeat(self, number: int) -> None:
        self._running(number)
        self._heartbeats[number] = time.monotonic()

    def keep_alive(self) -> None:
        self._heartbeats.update(dict.fromkeys(tuple(self._own), time.monotonic()))

    def holds(self, number: int) -> bool:
        return number in self._own and self._trials[number].state == "running"

    def report(self, number: int, step: int, score: float) -> None:
        trial = self._running(number)
        self._trials[number] = replace(trial, reports={**trial.reports, step: score})

    def finish(
        self,
        number: int,
        score: float,
        values: Mapping[str, float],
        attributes: Mapping[str, Any] | None = None,
    ) -> Trial:
        if not math.isfinite(score):
            return self.fail(number, f"its score is {score}")
        return self._end(number, "completed", attributes or {}, score=float(score), values=dict(values))

    def fail(self, number: int, reason: str) -> Trial:
        return self._end(number, "failed", {"reason": reason})

    def prune(self, number: int, reason: str) -> Trial:
        return self._end(number, "pruned", {"reason": reason})

    def release(self, number: int) -> Trial:
        trial = self._running(number)
        # who gives a trial back in peace did not die of it
        self._trials[number] = replace(trial, state="waiting", started=None, attempts=trial.attempts - 1)
        self._own.discard(number)
        return self._trials[number]

    def reap(self, *, alone: bool, dead: Collection[str] = ()) -> tuple[Trial, ...]:
        lost = [trial for trial in self._trials if trial.state == "running" and self._is_dead(trial, alone)]
        for trial in lost:
            if trial.attempts >= MAX_ATTEMPTS:
                self.fail(trial.number, f"its trainer died {trial.attempts} times")
            else:
                self._trials[trial.number] = replace(trial, state="waiting", started=None)
        return tuple(self._trials[trial.number] for trial in lost)

    def is_promised(self) -> bool:
        return False

    def all(self) -> tuple[Trial, ...]:
        return tuple(self._trials)

    def top_k(self, num_trials: int) -> tuple[Trial, ...]:
        return best_first(self.all())[:num_trials]

    def by_genome_hash(self, genome_hash: str) -> tuple[Trial, ...]:
        return tuple(self._trials[number] for number in self._numbers.get(genome_hash, ()))

    def add_artifact(self, number: int, name: str, content: bytes) -> Path:
        path = self.path(number, name)
        write_bytes(path, content)
        return path

    def path(self, number: int, name: str) -> Path:
        if self._folder is None:
            raise RunError("this store of trials keeps no files: give it a folder")
        return self._folder / f"{number:05d}" / name

    def _is_dead(self, trial: Trial, alone: bool) -> bool:
        if trial.number in self._own:
            return False
        return alone or time.monotonic() - self._heartbeats[trial.number] > self._grace_s

    def _start(self, number: int) -> Trial:
        trial = self._trials[number]
        self._trials[number] = replace(
            trial, state="running", attempts=trial.attempts + 1, started=time.time()
        )
        self._own.add(number)
        self.heartbeat(number)
        return self._trials[number]

    def _end(self, number: int, state: TrialState, attributes: Mapping[str, Any], **changes: Any) -> Trial:
        trial = self._running(number)
        self._trials[number] = replace(
            trial, state=state, attributes={**trial.attributes, **attributes}, finished=time.time(), **changes
        )
        self._own.discard(number)
        return self._trials[number]

    def _running(self, number: int) -> Trial:
        if not 0 <= number < len(self._trials):
            raise RunError(f"no trial {number}: the store holds {len(self._trials)}")
        if self._trials[number].state != "running":
            raise RunError(
                f"trial {number} is {self._trials[number].state}: only a running trial can be changed"
            )
        return self._trials[number]
