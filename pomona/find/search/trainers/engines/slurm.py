"""Trainers as jobs of Slurm, by submitit."""

import sys
from collections.abc import Mapping
from typing import Any

from pomona.find.search.trainers.assignment import Assignment
from pomona.find.search.trainers.engines.started import Started, last_line
from pomona.fit.threads import thread_environment
from pomona.foundation.errors import MissingExtraError, SettingError

MINUTES = 24 * 60


class SlurmTrainer:
    """A job that waits, runs or ended."""

    def __init__(self, job: Any):
        self._job = job

    def is_alive(self) -> bool:
        return not self._job.done()

    def stop(self) -> None:
        """Nothing: the store tells a job that runs, and one that waits is cancelled by `kill`."""

    def kill(self) -> None:
        self._job.cancel()

    def last_words(self) -> str:
        said = self._job.stderr() or ""
        return last_line(f"job {self._job.job_id} {self._job.state}\n{said}")


def start_slurm(assignment: Assignment, told: Mapping[str, str | int | float]) -> Started:
    """A trainer as a job of Slurm; the scripts and what it says are in the run's folder, trainers/slurm.

    `told` are parameters of a job as submitit calls them.
    """
    executor = _executor(assignment, told)
    return SlurmTrainer(executor.submit(train_in_job, assignment.to_json()))


def train_in_job(assignment: dict[str, Any]) -> None:
    """What the job runs."""
    from pomona.find.search.trainers.work import work
    from pomona.foundation.errors import Interrupted

    try:
        work(Assignment.from_json(assignment))
    except Interrupted as stopped:
        print(stopped, file=sys.stderr)


def _executor(assignment: Assignment, told: Mapping[str, str | int | float]) -> Any:
    try:
        import submitit
    except ImportError as error:
        raise MissingExtraError("submitit", "cluster") from error
    executor = submitit.AutoExecutor(assignment.place.folder / "trainers" / "slurm", cluster="slurm")
    threads = {name: value for name, value in thread_environment(assignment.threads, {}).items()}
    try:
        executor.update_parameters(
            **{
                "timeout_min": MINUTES,
                "cpus_per_task": assignment.threads,
                "name": f"pomona-{assignment.name}",
                "slurm_setup": [f"export {name}={value}" for name, value in threads.items()],
                **told,
            }
        )
    except (NameError, TypeError, ValueError) as error:
        raise SettingError(f"submitit refuses these options of a job: {error}") from error
    return executor
