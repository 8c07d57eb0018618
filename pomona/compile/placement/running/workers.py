"""The workers of a plan: processes on cores, or threads with devices."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from pomona.compile.placement.capture.fx_graph import Captured
from pomona.compile.placement.plan import Plan
from pomona.compile.placement.running.processes import Processes
from pomona.compile.placement.running.programs import programs_of
from pomona.compile.placement.running.streams import Streams


class OnWorkers:
    """What was captured, run on workers as a plan says; it ends them when it is closed.

    `kept` is what workers have for good, `inputs` what each step brings, by the names of nodes. There are as
    many workers as `num_workers`, else as `devices`, else as the plan names. Raises InputError when the plan
    is not that of what was captured.
    """

    def __init__(
        self,
        captured: Captured,
        plan: Plan,
        kept: Mapping[str, Any],
        inputs: Sequence[str],
        *,
        num_workers: int | None,
        cores: Sequence[int] | None,
        devices: Sequence[str] | None,
    ):
        count = num_workers or (len(devices) if devices else int(plan.device.max(initial=0)) + 1)
        programs = programs_of(captured, plan, count)
        # what the graph holds itself has no placeholder
        module = captured.module
        held = {n.name: getattr(module, str(n.target)) for n in module.graph.nodes if n.op == "get_attr"}
        everything = {**held, **kept}
        self.workers: Processes | Streams = (
            Processes(programs, everything, inputs, cores)
            if devices is None
            else Streams(programs, everything, devices)
        )

    def close(self) -> None:
        """Ends the workers."""
        self.workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
