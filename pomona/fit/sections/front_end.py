"""What a learned front end has learned: how far filters, windows and constants moved from their start."""

from pathlib import Path
from typing import Any

from torch import nn

from pomona.foundation.report import line, number, numbers, scatter, series, table, write_section
from pomona.networks.filter_movement import Movement, filter_movements
from pomona.tasks.task import Task

ORDER = 45
USUAL_RATE = 16_000


def write_front_end_section(folder: Path, network: nn.Module, task: Task) -> None:
    """Writes the section into folder/sections; none for a network that has no learned front end."""
    rates = [feature.rate for feature in task.inputs.values() if feature.kind == "audio"]
    found = filter_movements(network, int(rates[0] or USUAL_RATE)) if rates else []
    if found:
        write_section(folder, ORDER, "front-end", "What the front end learned", front_end_section(found))


def front_end_section(found: list[Movement]) -> list[dict[str, Any]]:
    """The items of the section: median changes, filters before and after as a figure, and all numbers."""
    changes = [number(f"{one.quantity}, median change", one.share, format="percent") for one in found]
    items = [numbers(*changes)]
    by_name = {movement.quantity: movement for movement in found}
    for x, y in (("centre", "bandwidth"), ("lower edge", "upper edge")):
        if x in by_name:
            items.append(_figure(by_name[x], by_name[y]))
    for movement in found:
        if movement.quantity not in ("centre", "bandwidth", "lower edge", "upper edge"):
            items.append(_lines(movement))
    columns = ["filter"]
    columns += [f"{one.quantity} {when} {one.unit}".rstrip() for one in found for when in ("start", "now")]
    rows = [
        [str(index + 1), *(float(values[index]) for m in found for values in (m.start, m.now))]
        for index in range(len(found[0].start))
    ]
    return [*items, table(columns, rows)]


def _figure(across: Movement, up: Movement) -> dict[str, Any]:
    points = [
        (float(x), float(y), f"filter {index + 1}", when)
        for when, xs, ys in (("start", across.start, up.start), ("now", across.now, up.now))
        for index, (x, y) in enumerate(zip(xs, ys, strict=True))
    ]
    return scatter(points, f"{across.quantity} {across.unit}", f"{up.quantity} {up.unit}")


def _lines(movement: Movement) -> dict[str, Any]:
    filters = list(range(1, len(movement.start) + 1))
    both = [series("start", filters, movement.start), series("now", filters, movement.now)]
    return line(both, "filter", f"{movement.quantity} {movement.unit}".rstrip())
