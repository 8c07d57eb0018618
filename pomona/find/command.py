"""`search` as a command: a subject in, a run folder with artifact and report out."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pomona.find.search.engine import search as search_task
from pomona.find.search.settings import SearchSettings
from pomona.find.search.trainers.assignment import Origin
from pomona.find.search.trainers.options import TrainerOptions
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.files import read_text
from pomona.foundation.keywords import split_keywords
from pomona.foundation.run import Run
from pomona.tasks.load import load_task
from pomona.tasks.options import DataOptions


def search(subject: str | Path, *, blocks: str | Path | None = None, **keywords: Any) -> dict[str, Any]:
    """The best network for a built-in task or a user's own data: the same as `pomona search`.

    `subject` is a task's name or a path; further keywords are the fields of SearchSettings, TrainerOptions,
    DataOptions and CommandOptions. Returns what `--json` prints. Raises InputError when one of them is wrong.

    >>> result = search("digits", trials=20, seed=0)  # doctest: +SKIP
    >>> pomona.load(result["artifact"]).predict(images)  # doctest: +SKIP
    """
    settings, trainers, data, options = split_keywords(
        keywords, SearchSettings, TrainerOptions, DataOptions, CommandOptions
    )
    path = None if blocks is None else Path(blocks)
    return search_command(str(subject), settings, blocks=path, data=data, options=options, trainers=trainers)


def search_command(
    subject: str,
    settings: SearchSettings,
    *,
    blocks: Path | None,
    data: DataOptions,
    options: CommandOptions,
    trainers: TrainerOptions | None = None,
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one; who trains does not change it."""
    task = load_task(subject, **data.given())
    identity = {**asdict(settings), "data": task.fingerprint}
    if blocks is not None:
        identity["blocks"] = read_text(blocks)

    def method(run: Run) -> dict[str, Any]:
        command = f"pomona search {subject} --trials {settings.trials} --seed {run.seed}"
        return search_task(
            task,
            settings,
            run=run,
            blocks=blocks,
            command=command,
            trainers=trainers,
            origin=Origin(subject, data),
        ).summary()

    return carry_out(
        method, verb="search", subject=subject, identity=identity, options=options, seconds=settings.seconds
    )
