"""Trainers as jobs of Slurm, by submitit."""

import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

from pomona.find.search.trainers.assignment import Assignment
from pomona.find.search.trainers.engines.started import Started, last_line
from pomona.fit.threads import thread_environment
from pomona.foundation.errors import MissingExtraError, SettingError

MINUTES = 24 * 60

CHECK_EVERY_S = 5.0
"""Slurm is asked no more often about a job: its controller serves a whole cluster."""


class SlurmTrainer:
    """A job that waits, runs or ended.

    Slurm's queue is asked for it and not its accounting, which submitit would ask: many clusters have none.
    """

    def __init__(self, job: Any):
        self._job = job
        self._asked_at = time.monotonic()
        self._is_alive = True

    def is_alive(self) -> bool:
        if self._is_alive and time.monotonic() - self._asked_at >= CHECK_EVERY_S:
            self._is_alive, self._asked_at = is_queued(self._job.job_id), time.monotonic()
        return self._is_alive

    def stop(self) -> None:
        """Nothing: the store tells a job that runs, and one that waits is cancelled by `kill`."""

    def kill(self) -> None:
        self._job.cancel()

    def last_words(self) -> str:
        return last_line(f"job {self._job.job_id} said nothing\n{self._job.stderr() or ''}")


def start_slurm(assignment: Assignment, told: Mapping[str, str | int | float]) -> Started:
    """A trainer as a job of Slurm; the script and what it says are in the run's folder, trainers/slurm.

    `told` are parameters of a job as submitit calls them.
    """
    try:
        import submitit
    except ImportError as error:
        raise MissingExtraError("submitit", "cluster") from error
    try:
        executor = submitit.SlurmExecutor(assignment.place.folder / "trainers" / "slurm", max_num_timeout=0)
        executor.update_parameters(**job_parameters(assignment, told))
        return SlurmTrainer(executor.submit(train_in_job, assignment.to_json()))
    except (NameError, TypeError, ValueError) as error:
        raise SettingError(f"these options of a job are refused: {' '.join(str(error).split())}") from error
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        raise SettingError(f"Slurm takes no job here: {' '.join(str(error).split())}") from error


def job_parameters(assignment: Assignment, told: Mapping[str, str | int | float]) -> dict[str, Any]:
    """What submitit is asked for: a day, and a core for each thread, unless it is told otherwise."""
    environment = thread_environment(assignment.threads, {})
    return {
        "time": told.get("timeout_min", MINUTES),
        "cpus_per_task": assignment.threads,
        "job_name": f"pomona-{assignment.name}",
        "setup": [f"export {name}={value}" for name, value in environment.items()],
        **{name.removeprefix("slurm_"): value for name, value in told.items() if name != "timeout_min"},
    }


def is_queued(job_id: str) -> bool:
    """Whether Slurm still has the job waiting or running."""
    answer = subprocess.run(["squeue", "-h", "-o", "%T", "-j", job_id], capture_output=True, text=True)
    # a job that ended long ago is no longer known; a controller that does not answer says nothing of the job
    return bool(answer.stdout.strip()) or (answer.returncode != 0 and "Invalid job id" not in answer.stderr)


def train_in_job(assignment: dict[str, Any]) -> None:
    """What the job runs."""
    from pomona.find.search.trainers.work import work
    from pomona.foundation.errors import Interrupted

    try:
        work(Assignment.from_json(assignment))
    except Interrupted as stopped:
        print(stopped, file=sys.stderr)
