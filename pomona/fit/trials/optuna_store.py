"""A store of trials in an Optuna database: SQLite for one machine, and optuna-dashboard opens it.

Optuna freezes a trial's attributes once it ends, knows no graphs, and heeds heartbeats only under its own
`optimize`. So the genome is written as attributes in the transaction that creates the trial, everything else
before the end, and heartbeats and dead trainers are looked after here.
"""

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.fit.trials.store import MAX_ATTEMPTS, best_first
from pomona.fit.trials.trial import Proposal, Trial, TrialState
from pomona.foundation.errors import RunError
from pomona.foundation.files import to_json, write_bytes

HEARTBEAT_S = 30
GRACE_S = 120


class OptunaStore:
    """A TrialStore that outlives its process. Files of trials lie in `folder`.

    Without `url` the database is `folder/trials.sqlite`.
    """

    def __init__(
        self, folder: Path, *, url: str | None = None, study: str = "trials", grace_s: int = GRACE_S
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.url = url or f"sqlite:///{folder.resolve() / 'trials.sqlite'}"
        self._database, self._storage = _open_storage(self.url, grace_s)
        self._study_id = _open_study(self._storage, study)
        self._own: set[int] = set()

    def claim(self, proposal: Proposal) -> Trial | None:
        from optuna.trial import TrialState as OptunaState
        from optuna.trial import create_trial

        if any(trial.seed == proposal.seed for trial in self.by_genome_hash(proposal.genome_hash)):
            return None
        record = {
            "genome": to_json(proposal.genome),
            "genome_hash": proposal.genome_hash,
            # Optuna's dashboard reads JavaScript numbers, which end at 2**53
            "seed": str(proposal.seed),
            "parents": list(proposal.parents),
            "mutation": proposal.mutation,
            "attributes": json.loads(to_json(proposal.attributes)),
        }
        waiting = create_trial(state=OptunaState.WAITING, user_attrs=record)
        return self._start(self._storage.create_new_trial(self._study_id, waiting))

    def claim_waiting(self) -> Trial | None:
        for trial in self.all():
            if trial.state == "waiting":
                claimed = self._start(self._id(trial.number))
                if claimed is not None:
                    return claimed
        return None

    def heartbeat(self, number: int) -> None:
        self._running(number)
        self._storage.record_heartbeat(self._id(number))

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
        self._running(number)
        self._storage.set_trial_user_attr(self._id(number), "values", json.loads(to_json(values)))
        return self._end(number, "COMPLETE", attributes or {}, score=float(score))

    def fail(self, number: int, reason: str) -> Trial:
        return self._end(number, "FAIL", {"reason": reason})

    def prune(self, number: int, reason: str) -> Trial:
        return self._end(number, "PRUNED", {"reason": reason})

    def reap(self, *, alone: bool) -> tuple[Trial, ...]:
        from optuna.trial import TrialState as OptunaState

        silent = set(self._storage._get_stale_trial_ids(self._study_id))
        dead = [
            trial.number
            for trial in self.all()
            if trial.state == "running"
            and trial.number not in self._own
            and (alone or self._id(trial.number) in silent)
        ]
        for number in dead:
            attempts = self._trial(number).attempts
            if attempts >= MAX_ATTEMPTS:
                self.fail(number, f"its trainer died {attempts} times")
            else:
                self._storage.set_trial_state_values(self._id(number), OptunaState.WAITING)
        return tuple(self._trial(number) for number in dead)

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
        try:
            trial = self._trial(number)
        except KeyError:
            raise RunError(f"no trial {number}: the store holds {len(self.all())}") from None
        if trial.state != "running":
            raise RunError(f"trial {number} is {trial.state}: only a running trial can be changed")
        return trial

    def _start(self, trial_id: int) -> Trial | None:
        """The waiting trial, now running and this trainer's; None when another trainer was faster."""
        from optuna.trial import TrialState as OptunaState

        if not self._storage.set_trial_state_values(trial_id, OptunaState.RUNNING):
            return None
        trial = _record(self._storage.get_trial(trial_id))
        self._storage.set_trial_user_attr(trial_id, "attempts", trial.attempts + 1)
        self._storage.record_heartbeat(trial_id)
        self._own.add(trial.number)
        return self._trial(trial.number)

    def _end(
        self, number: int, state: str, attributes: Mapping[str, Any], *, score: float | None = None
    ) -> Trial:
        from optuna.trial import TrialState as OptunaState

        merged = {**self._running(number).attributes, **attributes}
        trial_id = self._id(number)
        self._storage.set_trial_user_attr(trial_id, "attributes", json.loads(to_json(merged)))
        values = None if score is None else [score]
        self._storage.set_trial_state_values(trial_id, OptunaState[state], values)
        self._own.discard(number)
        return self._trial(number)


def _open_storage(url: str, grace_s: int) -> tuple[Any, Any]:
    import optuna
    from sqlalchemy.exc import DatabaseError

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        # Optuna calls its heartbeats experimental; the tests of this store hold them to what is needed
        warnings.simplefilter("ignore")
        try:
            database = optuna.storages.RDBStorage(url, heartbeat_interval=HEARTBEAT_S, grace_period=grace_s)
            # the wrapper remembers finished trials, which never change, instead of reading them every time
            return database, optuna.storages.get_storage(database)
        except (DatabaseError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise RunError(f"{url} is not a database of trials ({reason}): choose another --out") from error


def _open_study(storage: Any, name: str) -> int:
    from optuna.exceptions import DuplicatedStudyError
    from optuna.study import StudyDirection

    try:
        return storage.create_new_study([StudyDirection.MAXIMIZE], name)
    except DuplicatedStudyError:
        return storage.get_study_id_from_name(name)


STATES: dict[str, TrialState] = {
    "WAITING": "waiting",
    "RUNNING": "running",
    "COMPLETE": "completed",
    "FAIL": "failed",
    "PRUNED": "pruned",
}


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
    )
