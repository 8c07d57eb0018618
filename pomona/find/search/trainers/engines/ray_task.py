"""Trainers as tasks of Ray."""

from collections.abc import Mapping
from typing import Any

from pomona.find.search.trainers.assignment import Assignment
from pomona.find.search.trainers.engines.started import Started, last_line
from pomona.fit.threads import thread_environment
from pomona.foundation.errors import MissingExtraError

KEPT = ("PGPASSWORD", "PGPASSFILE", "POMONA_CACHE", "POMONA_MIRROR")


class RayTrainer:
    """A task that is not tried again by Ray: another trainer takes its trial."""

    def __init__(self, task: Any):
        self._task = task
        self._failure = ""

    def is_alive(self) -> bool:
        import ray

        ended, _ = ray.wait([self._task], timeout=0)
        if ended and not self._failure:
            try:
                ray.get(self._task)
            except ray.exceptions.RayError as error:
                self._failure = str(error)
        return not ended

    def stop(self) -> None:
        """Nothing: the store tells it."""

    def kill(self) -> None:
        import ray

        ray.cancel(self._task, force=True)

    def last_words(self) -> str:
        return last_line(self._failure)


def start_ray(assignment: Assignment, told: Mapping[str, str | int | float]) -> Started:
    """A trainer as a task of Ray, on the cluster at `address` or one that is started on this machine.

    Everything else that is told is an option of the task, such as num_gpus.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("ray", "cluster") from error
    options = dict(told)
    address = options.pop("address", None)
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False, include_dashboard=False, logging_level="ERROR")
    remote = ray.remote(train_in_task).options(
        num_cpus=assignment.threads,
        max_retries=0,
        name=assignment.name,
        runtime_env={"env_vars": _environment(assignment.threads)},
        **options,
    )
    return RayTrainer(remote.remote(assignment.to_json()))


def train_in_task(assignment: dict[str, Any]) -> None:
    """What the task runs."""
    from pomona.find.search.trainers.work import work
    from pomona.foundation.errors import Interrupted

    try:
        work(Assignment.from_json(assignment))
    except Interrupted:
        # it saved and leaves its trial to others
        return


def _environment(num_threads: int) -> dict[str, str]:
    """Of a process of Ray, which begins with the environment of its node."""
    import os

    return {
        **thread_environment(num_threads, {}),
        **{name: os.environ[name] for name in KEPT if name in os.environ},
    }
