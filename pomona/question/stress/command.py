"""`stress` as a command: a subject in, many models and what each stress tells of them out."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pomona.fit.settings import FitSettings
from pomona.fit.subject import resolve
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.files import read_text
from pomona.foundation.keywords import split_keywords
from pomona.foundation.run import Run
from pomona.question.stress.questioning import question
from pomona.question.stress.settings import StressSettings
from pomona.tasks.options import DataOptions


def stress(subject: str | Path, *, network: str = "default", **keywords: Any) -> dict[str, Any]:
    """Whether another seed would behave otherwise: the same as `pomona stress`. Returns what `--json` prints.

    `subject` is a task's name, a path or an artifact folder; further keywords are the fields of
    StressSettings, FitSettings, DataOptions and CommandOptions. Unmet requirements are listed in `unmet`.
    Raises InputError when something is wrong.

    >>> stress("digits", models=20, epochs=30)["underspecified"]  # doctest: +SKIP
    ['contrast-5']
    """
    kinds = (StressSettings, FitSettings, DataOptions, CommandOptions)
    settings, training, data, options = split_keywords(keywords, *kinds)
    return stress_command(str(subject), network, settings, training, data=data, options=options)


def stress_command(
    subject: str,
    network: str,
    settings: StressSettings,
    training: FitSettings,
    *,
    task: str | None = None,
    data: DataOptions,
    options: CommandOptions,
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one.

    `task` names the task or data of an artifact whose run does not tell.
    """
    given = None if training == FitSettings() else training
    asked = resolve(subject, network, data, task=task, settings=given)
    identity = {
        **asdict(asked.settings),
        **asdict(settings),
        "network": asked.spec.to_json(),
        "data": asked.task.fingerprint,
        **{name: read_text(path) for name, path in _files(settings).items() if path.is_file()},
    }

    def method(run: Run) -> dict[str, Any]:
        return question(asked, settings, run=run)

    return carry_out(method, verb="stress", subject=subject, identity=identity, options=options)


def _files(settings: StressSettings) -> dict[str, Path]:
    """Files whose content makes a run what it is."""
    named = {"stress": settings.stress, "requirements": settings.requirements}
    return {name: Path(path) for name, path in named.items() if path is not None}
