"""What the report shows of training schedules: the time that devices wait, and Gantt pictures."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from pomona.compile.pipeline.exact import exact_cuts
from pomona.compile.pipeline.partition import Partitioned
from pomona.compile.pipeline.scheduled import Scheduled, scheduled
from pomona.foundation.errors import SettingError
from pomona.foundation.report import span, table, timeline, write_section

BACKWARD = 2.0
"""A backward pass is reckoned as so many forward ones."""


def schedules_of(made: Partitioned, num_micro_batches: int) -> list[Scheduled]:
    """The schedules that fit, with the times of the stages as those of one micro-batch.

    In the interleaved one each device has two stages of half the size, cut for least time again.
    """
    num_devices = len(made.partition.stages)
    stage_us = [stage.predicted_us for stage in made.partition.stages]
    halves = _halves(made, num_devices)
    # devices of the interleaved schedule come in turn, so that their number divides that of micro-batches
    rounded = -(-num_micro_batches // num_devices) * num_devices
    found = []
    for name, times in (("GPipe", stage_us), ("1F1B", stage_us), ("interleaved", halves)):
        if times:
            backward = [BACKWARD * us for us in times]
            found.append(scheduled(name, times, backward, num_devices=num_devices, num_micro_batches=rounded))
    return found


def write_schedule_section(folder: Path, order: int, made: Partitioned, num_micro_batches: int) -> None:
    """Writes the section."""
    found = schedules_of(made, num_micro_batches)
    num_devices = len(made.partition.stages)
    even = (num_devices - 1) / (len({one.what.micro_batch for one in found[0].passes}) + num_devices - 1)
    rows = [[one.name, one.step_us / 1e3, one.bubble, max(one.most_kept)] for one in found]
    columns = [
        "schedule",
        "step, ms",
        ("devices wait", "percent"),
        ("micro-batches kept, at most", "integer"),
    ]
    caption = f"with equal stages GPipe and 1F1B would wait {even:.1%} of the time"
    lead = (
        "Simulated from the times of the stages, which are those of inference: a backward pass counts as two "
        "forward ones, sending is free. In the interleaved schedule each device has two smaller stages, and "
        "what it keeps of a micro-batch is that much smaller."
    )
    items = [table(columns, rows, caption=caption), *(_gantt(one, num_devices) for one in found)]
    write_section(folder, order, "schedules", "If it were trained as a pipeline", items, lead)


def _halves(made: Partitioned, num_devices: int) -> list[float]:
    """Times of twice as many stages; none where the model cannot be cut so often."""
    costs = made.costs
    try:
        cuts = exact_cuts(costs.additive, 2 * num_devices, lesser=costs.crossing)
    except SettingError:
        return []
    return [float(costs.additive[a, b]) for a, b in pairwise(cuts)]


def _gantt(one: Scheduled, num_devices: int) -> dict[str, Any]:
    lanes = [f"device {place + 1}" for place in range(num_devices)]
    several = len({timed.what.stage for timed in one.passes}) > num_devices
    spans = []
    for timed in one.passes:
        way = "forward" if timed.what.is_forward else "backward"
        part = f", stage {timed.what.stage + 1}" if several else ""
        name = f"micro-batch {timed.what.micro_batch + 1} {way}{part}"
        spans.append(span(lanes[timed.device], timed.start_us / 1e3, timed.end_us / 1e3, name, group=way))
    return timeline(lanes, spans, "ms", caption=f"{one.name}: devices wait {one.bubble:.1%} of the time")
