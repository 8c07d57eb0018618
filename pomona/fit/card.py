"""A model's card: what a reader should know before using it."""

from collections.abc import Mapping, Sequence

from pomona.foundation.version import version
from pomona.tasks.task import Task


def model_card(
    task: Task, what: str, test: Mapping[str, float], *, command: str, remarks: Sequence[str] = ()
) -> str:
    """Markdown: what the model is, what it reads and predicts, how good it is and on how much data.

    `what` says in a few words what kind of model it is, `command` how it was made.
    """
    sizes = ", ".join(f"{name} {source.size or 'endless'}" for name, source in task.splits.items())
    reads = "\n".join(f"- {f.name}: {f.kind} {list(f.shape)} {f.unit}".rstrip() for f in task.inputs.values())
    gives = "\n".join(f"- {f.name}: {_meaning(task, f.classes, f.unit)}" for f in task.targets.values())
    scores = "\n".join(f"| {name} | {value:.5g} |" for name, value in test.items())
    notes = "\n".join(f"- {note}" for note in (*task.notes, *remarks))
    parts = [
        f"# {task.name}: {what}",
        f"Made by Pomona {version()} with `{command}`.",
        f"## Reads\n\n{reads}",
        f"## Predicts\n\n{gives}",
        f"## Scores on test data\n\n| metric | value |\n|---|---|\n{scores}",
        f"## Data\n\n{task.about or task.name}\n\nExamples: {sizes}.",
        f"Licence of the data: {task.licence}." if task.licence else "",
        f"## Remarks\n\n{notes}" if notes else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _meaning(task: Task, classes: tuple[str, ...], unit: str) -> str:
    if not classes:
        return f"{task.kind} {unit}".strip()
    shown = ", ".join(classes[:12]) + (", …" if len(classes) > 12 else "")
    return f"one of {len(classes)} classes ({shown})" if task.kind != "multilabel" else f"any of {shown}"
