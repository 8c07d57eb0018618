"""`uncertainty` as a command: a subject and names of methods in, how sure each is of what out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report
from pomona.foundation.run import Run
from pomona.question.subject import Subject, resolve
from pomona.question.uncertainty.baselines import baseline, baseline_fit, baseline_point
from pomona.question.uncertainty.cell import Cell, cell
from pomona.question.uncertainty.examples import Examples, examples_of
from pomona.question.uncertainty.methods import METHODS
from pomona.question.uncertainty.sections import write_uncertainty_sections
from pomona.question.uncertainty.settings import UncertaintySettings
from pomona.question.uncertainty.summary import outside_summary, summary
from pomona.question.uncertainty.tuning import settings_at, tuned
from pomona.tasks.options import DataOptions


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
    known = baseline(asked.task.name, network) if is_usual and asked.weights is None else {}
    fit = baseline_fit(asked.task.name, network) if known else asked.settings
    names = named_methods(settings.methods, asked.task.kind)
    points = {name: baseline_point(asked.task.name, network, name) if known else {} for name in names}
    identity = {
        **asdict(fit),
        **asdict(settings),
        "methods": names,
        "points": points,
        "network": asked.spec.to_json(),
        "data": asked.task.fingerprint,
    }

    def method(run: Run) -> dict[str, Any]:
        examples = examples_of(asked.task, leave_out=settings.leave_out)
        cells = {
            name: cells_of(examples, asked, name, fit, points[name], settings, run=run) for name in names
        }
        return _result(examples, cells, run=run)

    return carry_out(method, verb="uncertainty", subject=subject, identity=identity, options=options)


def named_methods(names: str, kind: str) -> list[str]:
    """The methods that a text names, each once. Raises SettingError for a wrong name or kind of task."""
    if names.strip() == "all":
        return [name for name, method in METHODS.items() if kind in method.kinds]
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    for name in chosen:
        if name not in METHODS:
            raise unknown_name("method", name, METHODS)
        if kind not in METHODS[name].kinds:
            raise SettingError(f"method {name} is for {', '.join(METHODS[name].kinds)}; this task is {kind}")
    return chosen


def cells_of(
    examples: Examples,
    subject: Subject,
    method: str,
    fit: FitSettings,
    point: Mapping[str, Any],
    settings: UncertaintySettings,
    *,
    run: Run,
) -> list[Cell]:
    """The cells of a method for all seeds, those that are done from the run."""
    if settings.tune:
        if run.restore(f"tuned-{method}") is None:
            best = tuned(examples, subject.spec, method, fit, num_trials=settings.tune, run=run)
            run.save(f"tuned-{method}", best)
        point = run.restore(f"tuned-{method}")["point"]
    found = []
    for seed in range(run.seed, run.seed + settings.seeds):
        name = f"cell-{method}-{seed}"
        if run.restore(name) is None:
            made = cell(examples, subject.spec, method, settings_at(point, fit), run=run, seed=seed)
            run.save(name, made)
            run.check_interrupt()
        found.append(run.restore(name))
    return found


def _result(examples: Examples, cells: Mapping[str, Sequence[Cell]], *, run: Run) -> dict[str, Any]:
    rows = {name: summary(own) for name, own in cells.items()}
    beyond = outside_summary(cells)
    best = best_method(rows)
    write_uncertainty_sections(run.folder, examples, cells, rows, beyond, best)
    write_report(run.folder)
    return {
        "task": examples.task.name,
        "kind": examples.task.kind,
        "methods": rows,
        "ood": beyond,
        "best": best,
        "report": "report.html",
    }


def best_method(rows: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The method with the lowest nll on validation examples; None where none has it."""
    scored = {name: row["valid"]["nll"] for name, row in rows.items() if "nll" in row["valid"]}
    return min(scored, key=lambda name: scored[name]) if scored else None
