"""The whole question: splits, models, scores, statistics, verdicts and the report."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pomona.fit.subject import Subject
from pomona.foundation.artifact import add_sections, is_artifact
from pomona.foundation.files import read_json
from pomona.foundation.report import write_report
from pomona.foundation.run import Run
from pomona.question.stress.pick import ARTIFACT, Pick, pick_model, validation_splits
from pomona.question.stress.population import Population, population
from pomona.question.stress.requirements import Verdict, judge, read_requirements
from pomona.question.stress.scores import score_name
from pomona.question.stress.sections.axes import kind_of
from pomona.question.stress.sections.model import write_stress_sections
from pomona.question.stress.sentence import sentence
from pomona.question.stress.settings import StressSettings
from pomona.question.stress.splits import Splits, make_splits
from pomona.question.stress.statistics.components import components
from pomona.question.stress.statistics.finding import Finding, findings
from pomona.question.stress.statistics.resamples import resamples
from pomona.question.stress.table import CLEAN, ScoreTable, score_table
from pomona.question.stresses.contrastive import PairSource
from pomona.question.stresses.stratified import stratified
from pomona.tasks.source import SubsetSource


def question(subject: Subject, settings: StressSettings, *, run: Run) -> dict[str, Any]:
    """What the command's `--json` prints; the report and the scores are in the run's folder.

    An artifact that is asked about gets the sections too, for its own report.
    """
    metric = score_name(subject.task)
    wanted = read_requirements(settings.requirements) if settings.requirements else ()
    splits = make_splits(subject.task, settings, seed=run.seed)
    chosen_by = validation_splits(subject, settings, run=run) if settings.pick else None
    models = population(subject, settings.models, run=run)
    pick = None
    if chosen_by is not None and settings.pick is not None:
        pick = pick_model(subject, chosen_by, settings.pick, models, run=run)
        splits = _without(splits, settings.pick)
    table = score_table(subject, models.state, splits, run=run)
    found = _findings(table, splits, is_share=metric != "mae", seed=run.seed)
    verdicts = judge(
        wanted,
        {CLEAN: table.clean, **table.stresses},
        _groups(subject, splits, run.seed) if any(one.group for one in wanted) else {},
        greater_is_better=metric != "mae",
    )
    result = _result(subject, metric, models, table, found=found, verdicts=verdicts, pick=pick)
    for name, entry in result["stress"].items():
        is_pair = isinstance(splits.stresses[name], PairSource)
        entry["score"] = "consistency" if is_pair else metric
    write_stress_sections(
        run.folder,
        subject.task,
        splits=splits,
        models=models,
        table=table,
        found=found,
        verdicts=verdicts,
        result=result,
    )
    _report(subject, run)
    return result


def _report(subject: Subject, run: Run) -> None:
    write_report(run.folder)
    if is_artifact(subject.name):
        sections = sorted((run.folder / "sections").glob("*.json"))
        add_sections(subject.name, {path.stem: read_json(path) for path in sections})


def _without(splits: Splits, name: str) -> Splits:
    """The splits without a stress at any strength: a model chosen by it would look too good on it."""
    kept = {other: source for other, source in splits.stresses.items() if kind_of(other) != kind_of(name)}
    return replace(splits, stresses=kept)


def _findings(table: ScoreTable, splits: Splits, *, is_share: bool, seed: int) -> list[Finding]:
    drawn = resamples(len(table.clean), table.clean.shape[1], seed=seed)
    pairs = {name: splits.pairs(name) for name in splits.stresses}
    return findings(table.clean, table.stresses, pairs, drawn, is_share=is_share)


def _groups(subject: Subject, splits: Splits, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """The positions of each group's examples in every split that is made of the clean examples."""
    task = replace(subject.task, splits={**subject.task.splits, "test": splits.clean})
    strata = {
        name: source.ids
        for name, source in stratified(task, seed, by=()).items()
        if isinstance(source, SubsetSource)
    }
    found: dict[str, dict[str, np.ndarray]] = {CLEAN: strata}
    for name in splits.stresses:
        places = splits.pairs(name)
        if places is not None:
            found[name] = {group: np.flatnonzero(np.isin(places, ids)) for group, ids in strata.items()}
    return found


def _result(
    subject: Subject,
    metric: str,
    models: Population,
    table: ScoreTable,
    *,
    found: list[Finding],
    verdicts: list[Verdict],
    pick: Pick | None,
) -> dict[str, Any]:
    result = {
        "task": subject.task.name,
        "metric": metric,
        "models": len(models.seeds),
        "failed": models.num_failed,
        "device": models.device,
        "clean": _clean(table),
        "stress": {finding.name: plain(finding) for finding in found},
        "underspecified": [finding.name for finding in found if finding.is_underspecified],
        "finding": sentence(found, models=len(models.seeds)),
        "requirements": [_verdict(one) for one in verdicts],
        "unmet": [one.requirement.text for one in verdicts if not one.is_met],
        "seconds_one_model": models.seconds_one,
        "seconds_all": models.seconds,
        "report": "report.html",
    }
    if pick is None:
        return result
    return result | {"picked": _picked(pick, table), "artifact": ARTIFACT}


def plain(finding: Finding) -> dict[str, Any]:
    """A finding as plain data."""
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


def _clean(table: ScoreTable) -> dict[str, Any]:
    parts = components(table.clean)
    return {
        "examples": table.clean.shape[1],
        "mean": float(parts.mean),
        "sd": float(parts.total) ** 0.5,
        "seed_sd": max(float(parts.seed), 0.0) ** 0.5,
        "noise_sd": max(float(parts.noise), 0.0) ** 0.5,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "requirement": verdict.requirement.text,
        "value": verdict.value,
        "examples": verdict.num_examples,
        "met": verdict.is_met,
    }


def _picked(pick: Pick, table: ScoreTable) -> Mapping[str, Any]:
    return {
        "stress": pick.stress,
        "seed": pick.seed,
        "valid": float(pick.scores[pick.member]),
        "clean": float(table.clean[pick.member].mean()),
        "scores": {name: float(values[pick.member].mean()) for name, values in table.stresses.items()},
    }
