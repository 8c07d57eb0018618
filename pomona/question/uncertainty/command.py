"""`uncertainty` as a command: a subject and names of methods in, how sure each is of what out."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pomona.fit.settings import FitSettings
from pomona.fit.subject import Subject, resolve
from pomona.foundation.artifact import is_artifact
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import SettingError
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report
from pomona.foundation.run import Run
from pomona.question.uncertainty.as_it_is import NAME, as_it_is
from pomona.question.uncertainty.baselines import baseline
from pomona.question.uncertainty.cell import cell_of
from pomona.question.uncertainty.cells import Cells, Plan, make_cells, named_methods
from pomona.question.uncertainty.examples import Examples, examples_of
from pomona.question.uncertainty.parts import check_task
from pomona.question.uncertainty.sections import write_uncertainty_sections
from pomona.question.uncertainty.settings import UncertaintySettings
from pomona.question.uncertainty.summary import PLAIN, against, best_method, outside_summary, summary
from pomona.tasks.options import DataOptions

IN_ARTIFACT = 70
"""The order of the sections in the report of an artifact that is asked about."""


def uncertainty(subject: str | Path, *, network: str = "default", **keywords: Any) -> dict[str, Any]:
    """How sure methods are, and how rightly: the same as `pomona uncertainty`. Returns what `--json` prints.

    `subject` is a task's name, a path or an artifact folder; further keywords are the fields of
    UncertaintySettings, FitSettings, DataOptions and CommandOptions. Raises InputError for a wrong one.

    >>> uncertainty("digits", methods="deterministic,deep-ensemble")["methods"]  # doctest: +SKIP
    {'deterministic': {'nll': 0.11, …}, 'deep-ensemble': {'nll': 0.08, …}}
    """
    kinds = (UncertaintySettings, FitSettings, DataOptions, CommandOptions)
    settings, training, data, options = split_keywords(keywords, *kinds)
    return uncertainty_command(str(subject), network, settings, training, data=data, options=options)


def uncertainty_command(
    subject: str,
    network: str,
    settings: UncertaintySettings,
    training: FitSettings,
    *,
    data: DataOptions,
    options: CommandOptions,
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    is_usual = training == FitSettings()
    asked = resolve(subject, network, data, settings=None if is_usual else training)
    if asked.weights is not None and not is_artifact(subject):
        raise SettingError(f"methods start from drawn weights: {network} brings its own, leave it out")
    check_task(asked.task)
    plan = plan_of(asked, network, settings, is_usual=is_usual)
    identity = {
        **asdict(asked.settings),
        **asdict(settings),
        "plan": asdict(plan),
        "network": asked.spec.to_json(),
        "data": asked.task.fingerprint,
    }

    def method(run: Run) -> dict[str, Any]:
        examples = examples_of(asked.task, leave_out=settings.leave_out)
        cells = make_cells(examples, asked.spec, plan, run=run)
        if asked.weights is not None:
            own = cell_of(as_it_is(Path(subject), asked), examples, NAME, seed=run.seed)
            cells.found[NAME] = [own]
        folders = {run.folder: 10} if asked.weights is None else {run.folder: 10, Path(subject): IN_ARTIFACT}
        return _result(examples, cells, folders, run=run)

    return carry_out(method, verb="uncertainty", subject=subject, identity=identity, options=options)


def plan_of(subject: Subject, network: str, settings: UncertaintySettings, *, is_usual: bool) -> Plan:
    """What is fitted: as the baseline on record says, unless the user or an artifact says otherwise."""
    task = subject.task
    methods = named_methods(settings.methods, task.kind)
    known = baseline(task.name, network) if is_usual and subject.weights is None else {}
    points = known.get("methods", {})
    return Plan(
        methods,
        FitSettings(**known.get("fit", {})) if known else subject.settings,
        {name: points[name]["point"] for name in methods if name in points},
        settings.seeds,
        settings.tune,
        settings.methods.strip() != "all",
    )


def _result(examples: Examples, cells: Cells, folders: Mapping[Path, int], *, run: Run) -> dict[str, Any]:
    """What `--json` prints; the sections are written into all folders, from these orders on."""
    rows = {name: summary(own) for name, own in cells.found.items()}
    for name, own in cells.found.items():
        rows[name] |= against(own, cells.found.get(PLAIN, []), seed=run.seed)
    beyond, best = outside_summary(cells.found), best_method(rows)
    for folder, first in folders.items():
        write_uncertainty_sections(folder, examples, cells, rows, beyond, best, first=first)
        write_report(folder)
    return {
        "task": examples.task.name,
        "kind": examples.task.kind,
        "methods": rows,
        "refused": cells.refused,
        "ood": beyond,
        "best": best,
        "report": "report.html",
    }
