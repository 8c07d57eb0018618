"""`bootstrap` as a command: would the network be better if it never saw an example twice?"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pomona.fit.extension import USUAL, Extension, given_weights
from pomona.fit.settings import FitSettings
from pomona.fit.subject import Subject
from pomona.foundation.artifact import is_artifact
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.keywords import split_keywords
from pomona.foundation.randomness import stream_seed
from pomona.foundation.report import write_report, write_section
from pomona.foundation.run import Run
from pomona.question.bootstrap.axes import Variant, variants
from pomona.question.bootstrap.checks import check_question, check_world, same_course
from pomona.question.bootstrap.comparison import Comparison, compare
from pomona.question.bootstrap.curves import Curves, sound_curves
from pomona.question.bootstrap.gap import gaps
from pomona.question.bootstrap.outcome import comparisons_json, sizes_json
from pomona.question.bootstrap.sections import axes_section, worlds_section
from pomona.question.bootstrap.settings import BootstrapSettings
from pomona.question.bootstrap.starts import learned_start
from pomona.question.bootstrap.two_worlds import two_worlds
from pomona.question.bootstrap.worlds.opening import Opening, opening, world_of
from pomona.tasks.options import DataOptions
from pomona.tasks.task import Task

FIRST_SECTION = 60
"""Order of the sections: of an artifact, whose report gains them, after those of its fit."""


def bootstrap(
    subject: str | Path,
    *,
    sizes: str | int | Sequence[int] = BootstrapSettings.sizes,
    network: str = "default",
    **keywords: Any,
) -> dict[str, Any]:
    """The real world against the ideal one: the same as `pomona bootstrap`. Returns what its `--json` prints.

    `subject` is a world's name, a Python file that draws examples, a task, data or an artifact; further
    keywords are the fields of BootstrapSettings, FitSettings, DataOptions and CommandOptions. Raises
    InputError when one of them is wrong.

    >>> bootstrap("glyphs", sizes=(500, 2000))["sizes"]["2000"]["gap"]  # doctest: +SKIP
    0.031
    """
    kinds = (BootstrapSettings, FitSettings, DataOptions, CommandOptions)
    listed = (
        sizes if isinstance(sizes, str) else ",".join(map(str, [sizes] if isinstance(sizes, int) else sizes))
    )
    settings, course, data, options = split_keywords({**keywords, "sizes": listed}, *kinds)
    return bootstrap_command(str(subject), network, settings, course, data=data, options=options)


def bootstrap_command(
    subject: str,
    network: str,
    settings: BootstrapSettings,
    course: FitSettings,
    *,
    data: DataOptions,
    options: CommandOptions,
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    course = same_course(course)
    opened = opening(subject, settings.world, network, data=data, settings=course, seed=options.seed)
    course = opened.subject.settings
    check_question(opened.subject.task, settings, course)
    identity = {
        **asdict(settings),
        **asdict(course),
        "network": opened.subject.spec.to_json(),
        "data": opened.subject.task.fingerprint,
        "file": opened.source,
    }

    def method(run: Run) -> dict[str, Any]:
        return _answered(opened, network, settings, run=run)

    return carry_out(method, verb="bootstrap", subject=subject, identity=identity, options=options)


def _answered(opened: Opening, network: str, settings: BootstrapSettings, *, run: Run) -> dict[str, Any]:
    world, subject = world_of(opened, run=run), opened.subject
    check_world(world, settings, subject.settings, seed=run.seed)
    pipelines = variants(subject, world, network, settings)
    begins = [_extension(pipeline, subject, network, run) for pipeline in pipelines]
    curves = {
        pipeline.name: _trained(pipeline, begin, world, settings, run)
        for pipeline, begin in zip(pipelines, begins, strict=True)
    }
    base, changed = curves[pipelines[0].name], pipelines[1:]
    found = gaps(sound_curves(base))
    compared = {one.name: compare(base, curves[one.name], one.name) for one in changed}
    sections = {"bootstrap": (f"{subject.name}: real and ideal world", worlds_section(found, world))}
    if compared:
        sections["bootstrap-changes"] = ("What changes do in both worlds", axes_section(curves, compared))
    for folder in (run.folder, *([Path(subject.name)] if is_artifact(subject.name) else [])):
        for order, (name, (title, items)) in enumerate(sections.items(), FIRST_SECTION):
            write_section(folder, order, name, title, items)
    write_report(run.folder)
    return {
        "task": subject.name,
        "world": opened.name,
        "about": world.about,
        "notes": list(world.notes),
        "network": network,
        "seeds": int(base.sound().sum()),
        "steps": base.num_steps,
        "seconds": sum(one.seconds for one in curves.values()),
        "sizes": sizes_json(found),
        "compared": _compared_json(changed, compared),
        "report": "report.html",
    }


def _trained(
    pipeline: Variant, begin: Extension, world: Task, settings: BootstrapSettings, run: Run
) -> Curves:
    """A pipeline's networks, trained in both worlds; the seeds are the same for all pipelines."""
    return two_worlds(
        world,
        pipeline.spec,
        pipeline.settings,
        settings.all_sizes,
        [stream_seed(run.seed, "bootstrap seed", index) for index in range(settings.seeds)],
        run=run,
        name=pipeline.name.replace(" ", "-").replace("/", "-"),
        num_points=settings.points,
        num_test=settings.test_examples,
        extension=begin,
    )


def _compared_json(
    changed: Sequence[Variant], compared: Mapping[str, Mapping[int, Comparison]]
) -> dict[str, Any]:
    """The comparisons by axis and value."""
    axes: dict[str, Any] = {}
    for one in changed:
        axes.setdefault(one.axis, {})[one.value] = comparisons_json(one.name, compared[one.name])
    return axes


def _extension(pipeline: Variant, subject: Subject, network: str, run: Run) -> Extension:
    """Where the first weights of a pipeline come from."""
    if pipeline.start:
        return learned_start(pipeline.start, network, pipeline.settings, pipeline.spec, run=run)
    if subject.weights is not None and pipeline.axis != "network":
        return given_weights(subject.weights, f"begins as {network}")
    return USUAL
