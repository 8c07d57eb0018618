"""The workers of a plan: processes on cores, or threads with devices."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from pomona.compile.placement.capture.fx_graph import Captured
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.running.processes import Processes
from pomona.compile.placement.running.programs import programs_of
from pomona.compile.placement.running.streams import Streams


def workers_of(
    captured: Captured,
    plan: Plan,
    kept: Mapping[str, Any],
    inputs: Sequence[str],
    *,
    num_workers: int | None,
    cores: Sequence[int] | None,
    devices: Sequence[str] | None,
) -> Processes | Streams:
    """Workers that have begun; `kept` is what they have for good, `inputs` what each step brings, by name.

    There are as many as `num_workers`, else as `devices`, else as the plan names. Raises InputError when the
    plan is not that of what was captured.
    """
    count = num_workers or (len(devices) if devices else int(plan.device.max(initial=0)) + 1)
    programs = programs_of(captured, plan, count)
    return Processes(programs, kept, inputs, cores) if devices is None else Streams(programs, kept, devices)


class OnWorkers:
    """Something that runs on workers, and ends them when it is closed."""

    def __init__(self, workers: Processes | Streams):
        self.workers = workers

    def close(self) -> None:
        """Ends the workers."""
        self.workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
