"""`stress` as a command: a subject in, many models and what each stress tells of them out."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report, write_section
from pomona.foundation.run import Run
from pomona.question.stress.population import population
from pomona.question.stress.scores import score_name
from pomona.question.stress.sections import finding_section
from pomona.question.stress.sentence import sentence
from pomona.question.stress.settings import StressSettings
from pomona.question.stress.splits import make_splits
from pomona.question.stress.statistics.components import components
from pomona.question.stress.statistics.finding import Finding, findings
from pomona.question.stress.statistics.resamples import resamples
from pomona.question.stress.table import ScoreTable, score_table
from pomona.question.subject import Subject, resolve
from pomona.tasks.options import DataOptions


def stress(subject: str | Path, *, network: str = "default", **keywords: Any) -> dict[str, Any]:
    """Whether another seed would behave otherwise: the same as `pomona stress`. Returns what `--json` prints.

    `subject` is a task's name, a path or an artifact folder; further keywords are the fields of
    StressSettings, FitSettings, DataOptions and CommandOptions. Raises InputError when one of them is wrong.

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
    data: DataOptions,
    options: CommandOptions,
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    given = None if training == FitSettings() else training
    asked = resolve(subject, network, data, settings=given)
    identity = {
        **asdict(asked.settings),
        **asdict(settings),
        "network": asked.spec.to_json(),
        "data": asked.task.fingerprint,
    }

    def method(run: Run) -> dict[str, Any]:
        return _question(asked, settings, run=run)

    return carry_out(method, verb="stress", subject=subject, identity=identity, options=options)


def _question(subject: Subject, settings: StressSettings, *, run: Run) -> dict[str, Any]:
    metric = score_name(subject.task)
    splits = make_splits(subject.task, settings, seed=run.seed)
    models = population(subject, settings.models, run=run)
    table = score_table(subject, models.state, splits, run=run)
    drawn = resamples(len(models.seeds), splits.clean.size, seed=run.seed)
    pairs = {name: splits.pairs(name) for name in splits.stresses}
    found = findings(table.clean, table.stresses, pairs, drawn, is_share=metric != "mae")
    clean, said = _clean(table), sentence(found, models=len(models.seeds))
    about = finding_section(found, clean, metric=metric, models=len(models.seeds), sentence=said)
    write_section(
        run.folder, 10, "stress", f"{subject.task.name}: would another seed behave otherwise?", about
    )
    write_report(run.folder)
    return {
        "task": subject.task.name,
        "metric": metric,
        "models": len(models.seeds),
        "failed": models.num_failed,
        "clean": clean,
        "stress": {finding.name: _plain(finding) for finding in found},
        "underspecified": [finding.name for finding in found if finding.is_underspecified],
        "finding": said,
        "seconds_one_model": models.seconds_one,
        "seconds_all": models.seconds,
        "report": "report.html",
    }


def _clean(table: ScoreTable) -> dict[str, Any]:
    parts = components(table.clean)
    return {
        "examples": table.clean.shape[1],
        "mean": float(parts.mean),
        "sd": float(parts.total) ** 0.5,
        "seed_sd": max(float(parts.seed), 0.0) ** 0.5,
        "noise_sd": max(float(parts.noise), 0.0) ** 0.5,
    }


def _plain(finding: Finding) -> Mapping[str, Any]:
    return {
        "examples": finding.num_examples,
        "mean": finding.mean,
        "sd": finding.sd,
        "seed_sd": finding.seed_sd,
        "noise_sd": finding.noise_sd,
        "ratio": finding.ratio.value,
        "ratio_interval": [finding.ratio.low, finding.ratio.high],
        "scaled_ratio": finding.scaled_ratio,
        "p": finding.p,
        "p_adjusted": finding.p_adjusted,
        "spearman": finding.spearman,
        "spearman_interval": finding.spearman_interval,
    }
