"""A store of trials in an Optuna database: SQLite or PostgreSQL, and optuna-dashboard opens it.

Optuna freezes a trial's attributes once it ends, knows no graphs and no duplicates, and heeds heartbeats only
under its own `optimize`. So the genome is written as attributes in the transaction that creates the trial,
everything else before the end, and who may run a trial stands in a table beside Optuna's (see `claims`).
"""

import contextlib
import json
import math
import os
import secrets
import socket
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pomona.fit.trials.store import MAX_ATTEMPTS, best_first
from pomona.fit.trials.trial import UNFINISHED, Proposal, Trial, TrialState
from pomona.foundation.errors import RunError
from pomona.foundation.files import to_json, write_bytes

GRACE_S = 60.0
"""Seconds without a heartbeat after which a trainer counts as dead."""


class OptunaStore:
    """A TrialStore that outlives its process. Files of trials lie in `folder`.

    Without `url` the database is `folder/trials.sqlite`. `trainer` names the process among others that use
    the store. A password that `url` leaves out comes from where PostgreSQL's clients look for it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        url: str | None = None,
        study: str = "trials",
        trainer: str | None = None,
        grace_s: float = GRACE_S,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.url = url or f"sqlite:///{folder.resolve() / 'trials.sqlite'}"
        from pomona.fit.trials.claims import Claims
        from pomona.fit.trials.database import open_database, open_study

        self._database, self._storage = open_database(self.url)
        self._study_id = open_study(self._storage, study)
        self.trainer = trainer or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._claims = Claims(self._database.engine, self._study_id, trainer=self.trainer, grace_s=grace_s)
        self._most: int | None = None

    def limit(self, num_trials: int | None) -> None:
        """Lets this trainer claim no new trial while the store holds so many, whoever claimed them."""
        self._most = num_trials

    def claim(self, proposal: Proposal) -> Trial | None:
        from optuna.trial import TrialState as OptunaState
        from optuna.trial import create_trial

        key = (proposal.genome_hash, proposal.seed)
        if any(trial.seed == proposal.seed for trial in self.by_genome_hash(proposal.genome_hash)):
            return None
        if not self._claims.add(key, most=self._most):
            return None
        record = {
            "genome": to_json(proposal.genome),
            "genome_hash": proposal.genome_hash,
            # Optuna's dashboard reads JavaScript numbers, which end at 2**53
            "seed": str(proposal.seed),
            "parents": list(proposal.parents),
            "mutation": proposal.mutation,
            "attributes": json.loads(to_json(proposal.attributes)),
            "attempts": 1,
            "trainer": self.trainer,
        }
        waiting = create_trial(state=OptunaState.WAITING, user_attrs=record)
        trial_id = self._storage.create_new_trial(self._study_id, waiting)
        if not self._claims.name_trial(key, trial_id):
            self._discard(trial_id)
            return None
        return self._run(trial_id)

    def claim_waiting(self) -> Trial | None:
        for trial in self.all():
            if trial.state == "waiting":
                trial_id = self._id(trial.number)
                if not self._claims.take(_key(trial), trial_id):
                    continue
                # it may have been run and ended since the list was read
                if _record(self._storage.get_trial(trial_id)).state == "waiting":
                    return self._start(trial_id)
                self._claims.release(trial_id)
        return None

    def heartbeat(self, number: int) -> None:
        self._running(number)
        self._claims.beat()

    def keep_alive(self) -> None:
        self._claims.beat()

    def holds(self, number: int) -> bool:
        return self._trial(number).state == "running" and self._claims.holds(self._id(number))

    def lead(self) -> None:
        """Says that whoever leads the search of many trainers lives; this one does."""
        self._claims.lead()

    def is_led(self) -> bool:
        """Whether somebody leads the search, and beat within the grace period."""
        return self._claims.is_led()

    @property
    def notes(self) -> dict[str, Any]:
        """What `note` kept of the study as a whole."""
        return self._storage.get_study_user_attrs(self._study_id)

    def note(self, name: str, value: Any) -> None:
        """Keeps plain data under a name, for every trainer to read."""
        self._storage.set_study_user_attr(self._study_id, name, json.loads(to_json(value)))

    def report(self, number: int, step: int, score: float) -> None:
        self._running(number)
        self._storage.set_trial_intermediate_value(self._id(number), step, score)

    def finish(
        self,
        number: int,
        score: float,
        values: Mapping[str, float],
        attributes: Mapping[str, Any] | None = None,
    ) -> Trial:
        if not math.isfinite(score):
            return self.fail(number, f"its score is {score}")
        trial = self._running(number)
        self._storage.set_trial_user_attr(self._id(number), "values", json.loads(to_json(values)))
        return self._end(trial, "COMPLETE", attributes or {}, score=float(score))

    def fail(self, number: int, reason: str) -> Trial:
        return self._end(self._running(number), "FAIL", {"reason": reason})

    def prune(self, number: int, reason: str) -> Trial:
        return self._end(self._running(number), "PRUNED", {"reason": reason})

    def release(self, number: int) -> Trial:
        from optuna.trial import TrialState as OptunaState

        trial, trial_id = self._running(number), self._id(number)
        # who gives a trial back in peace did not die of it
        self._storage.set_trial_user_attr(trial_id, "attempts", trial.attempts - 1)
        self._storage.set_trial_state_values(trial_id, OptunaState.WAITING)
        self._claims.release(trial_id)
        return self._trial(number)

    def reap(self, *, alone: bool, dead: Collection[str] = ()) -> tuple[Trial, ...]:
        if alone:
            self._claims.drop_abandoned()
        self._claims.abandon(dead)
        unfinished = [trial for trial in self.all() if trial.state in UNFINISHED]
        reaped = [
            trial.number
            for trial in unfinished
            if self._claims.seize(self._id(trial.number), alone=alone, dead=dead)
        ]
        for number in reaped:
            self._put_back(number)
        for trial in unfinished:
            if trial.state == "waiting" and not self._claims.may_run(_key(trial), self._id(trial.number)):
                self._discard(self._id(trial.number))
        return tuple(self._trial(number) for number in reaped)

    def is_promised(self) -> bool:
        return self._claims.are_promised()

    def all(self) -> tuple[Trial, ...]:
        return tuple(
            _record(frozen) for frozen in self._storage.get_all_trials(self._study_id, deepcopy=False)
        )

    def top_k(self, num_trials: int) -> tuple[Trial, ...]:
        return best_first(self.all())[:num_trials]

    def by_genome_hash(self, genome_hash: str) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.all() if trial.genome_hash == genome_hash)

    def add_artifact(self, number: int, name: str, content: bytes) -> Path:
        path = self.path(number, name)
        write_bytes(path, content)
        return path

    def path(self, number: int, name: str) -> Path:
        return self._folder / f"{number:05d}" / name

    def close(self) -> None:
        """Lets go of the database."""
        self._database.remove_session()
        self._database.engine.dispose()

    def _id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)

    def _trial(self, number: int) -> Trial:
        return _record(self._storage.get_trial(self._id(number)))

    def _running(self, number: int) -> Trial:
        """The trial, which runs and is this trainer's."""
        try:
            trial = self._trial(number)
        except KeyError:
            raise RunError(f"no trial {number}: the store holds {len(self.all())}") from None
        if trial.state != "running":
            raise RunError(f"trial {number} is {trial.state}: only a running trial can be changed")
        if not self._claims.holds(self._id(number)):
            raise RunError(f"trial {number} was given to another trainer: this one was silent for too long")
        return trial

    def _put_back(self, number: int) -> None:
        """Lets a trial that this trainer seized wait for the next one; fails it if it killed too many."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState as OptunaState

        trial, trial_id = self._trial(number), self._id(number)
        if trial.state == "running" and trial.attempts >= MAX_ATTEMPTS:
            self.fail(number, f"its trainer died {trial.attempts} times")
        elif trial.state in UNFINISHED:
            # a trainer that was only slow may have finished it just now
            with contextlib.suppress(UpdateFinishedTrialError):
                self._storage.set_trial_state_values(trial_id, OptunaState.WAITING)
        self._claims.release(trial_id)

    def _discard(self, trial_id: int) -> None:
        """Ends a trial that was made when its genome was another trial's already."""
        from optuna.trial import TrialState as OptunaState

        self._storage.set_trial_state_values(trial_id, OptunaState.PRUNED)

    def _start(self, trial_id: int) -> Trial:
        """The waiting trial, which is this trainer's, begun again."""
        trial = _record(self._storage.get_trial(trial_id))
        self._storage.set_trial_user_attr(trial_id, "attempts", trial.attempts + 1)
        self._storage.set_trial_user_attr(trial_id, "trainer", self.trainer)
        return self._run(trial_id)

    def _run(self, trial_id: int) -> Trial:
        from optuna.trial import TrialState as OptunaState

        self._storage.set_trial_state_values(trial_id, OptunaState.RUNNING)
        return _record(self._storage.get_trial(trial_id))

    def _end(
        self, trial: Trial, state: str, attributes: Mapping[str, Any], *, score: float | None = None
    ) -> Trial:
        from optuna.trial import TrialState as OptunaState

        merged, trial_id = {**trial.attributes, **attributes}, self._id(trial.number)
        self._storage.set_trial_user_attr(trial_id, "attributes", json.loads(to_json(merged)))
        values = None if score is None else [score]
        self._storage.set_trial_state_values(trial_id, OptunaState[state], values)
        self._claims.release(trial_id)
        return self._trial(trial.number)


STATES: dict[str, TrialState] = {
    "WAITING": "waiting",
    "RUNNING": "running",
    "COMPLETE": "completed",
    "FAIL": "failed",
    "PRUNED": "pruned",
}


def _key(trial: Trial) -> tuple[str, int]:
    return trial.genome_hash, trial.seed


def _record(frozen: Any) -> Trial:
    kept = frozen.user_attrs
    return Trial(
        number=frozen.number,
        state=STATES[frozen.state.name],
        genome=json.loads(kept["genome"]),
        genome_hash=kept["genome_hash"],
        seed=int(kept["seed"]),
        parents=tuple(kept["parents"]),
        mutation=kept["mutation"],
        score=frozen.value if frozen.state.name == "COMPLETE" else None,
        values=kept.get("values", {}),
        attributes=kept["attributes"],
        reports=dict(frozen.intermediate_values),
        attempts=kept.get("attempts", 0),
        started=frozen.datetime_start.timestamp() if frozen.datetime_start else None,
        finished=frozen.datetime_complete.timestamp() if frozen.datetime_complete else None,
        trainer=kept.get("trainer", ""),
    )
