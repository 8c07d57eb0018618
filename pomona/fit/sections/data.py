"""What it learned from: features, splits, and what the reader did to the data."""

from typing import Any

from pomona.foundation.report import table, text
from pomona.tasks.task import Task


def data_section(task: Task) -> list[dict[str, Any]]:
    """The items of the section."""
    features = [("input", feature) for feature in task.inputs.values()]
    features += [("target", feature) for feature in task.targets.values()]
    rows = [
        [
            role,
            feature.name,
            feature.kind,
            " × ".join(map(str, feature.shape)) or "one",
            len(feature.classes) or None,
        ]
        for role, feature in features
    ]
    splits = [[name, source.size] for name, source in task.splits.items()]
    items = [
        table(["role", "name", "kind", "shape", ("classes", "integer")], rows),
        table(["split", ("examples", "integer")], splits),
    ]
    remarks = [task.about, *task.notes, f"Licence: {task.licence}" if task.licence else ""]
    return [*items, *(text(remark) for remark in remarks if remark)]
