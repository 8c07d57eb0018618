"""`bootstrap` as a command: would the network be better if it never saw an example twice?"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from pomona.fit.extension import USUAL, Extension
from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.keywords import split_keywords
from pomona.foundation.randomness import stream_seed
from pomona.foundation.report import write_report, write_section
from pomona.foundation.run import Run
from pomona.question.bootstrap.checks import check_question, check_world, same_course
from pomona.question.bootstrap.curves import Curves, sound_curves
from pomona.question.bootstrap.gap import Gap, gaps
from pomona.question.bootstrap.reading import gap_sentences, verdict
from pomona.question.bootstrap.sections import worlds_section
from pomona.question.bootstrap.settings import BootstrapSettings
from pomona.question.bootstrap.two_worlds import two_worlds
from pomona.question.bootstrap.worlds.opening import Opening, opening, world_of
from pomona.tasks.options import DataOptions
from pomona.tasks.task import Task


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
    check_question(opened.subject.task, settings, course)
    identity = {
        **asdict(settings),
        **asdict(course),
        "network": opened.subject.spec.to_json(),
        "data": opened.subject.task.fingerprint,
        "file": opened.source,
    }

    def method(run: Run) -> dict[str, Any]:
        return _answered(opened, settings, run=run)

    return carry_out(method, verb="bootstrap", subject=subject, identity=identity, options=options)


def _answered(opened: Opening, settings: BootstrapSettings, *, run: Run) -> dict[str, Any]:
    world, subject = world_of(opened, run=run), opened.subject
    check_world(world, settings, subject.settings, seed=run.seed)
    seeds = [stream_seed(run.seed, "bootstrap seed", index) for index in range(settings.seeds)]
    curves = sound_curves(
        two_worlds(
            world,
            subject.spec,
            subject.settings,
            settings.all_sizes,
            seeds,
            run=run,
            num_points=settings.points,
            num_test=settings.test_examples,
            extension=beginning_with(subject.weights),
        )
    )
    found = gaps(curves)
    write_section(
        run.folder, 10, "worlds", f"{subject.name}: real and ideal world", worlds_section(found, world)
    )
    write_report(run.folder)
    return _result(opened, world, curves, found)


def beginning_with(weights: Mapping[str, Tensor] | None) -> Extension:
    """What makes every network of a fit begin with the same weights; nothing for None."""
    if weights is None:
        return USUAL

    def transform(network: nn.Module, seed: int) -> nn.Module:
        network.load_state_dict(dict(weights))
        return network

    return Extension(transform=transform, key="begins with given weights")


def _result(opened: Opening, world: Task, curves: Curves, found: Mapping[int, Gap]) -> dict[str, Any]:
    return {
        "task": opened.subject.name,
        "world": opened.name,
        "about": world.about,
        "seeds": len(curves.ideal),
        "steps": curves.num_steps,
        "seconds": curves.seconds,
        "sizes": {str(size): gap_json(gap) for size, gap in found.items()},
        "report": "report.html",
    }


def gap_json(gap: Gap) -> dict[str, Any]:
    """Everything found for a size: numbers where the gap is read, and the curves."""
    end = gap.end
    return {
        "steps": gap.end_step,
        "real": gap.real.mean[end],
        "ideal": gap.ideal.mean[end],
        "gap": gap.gap.mean[end],
        "gap_interval": [gap.gap.low[end], gap.gap.high[end]],
        "train_error": gap.train_error.mean[end],
        "has_converged": gap.has_converged,
        "largest_gap": gap.largest,
        "verdict": verdict(gap),
        "sentences": gap_sentences(gap),
        "curves": {"steps": gap.steps.tolist()}
        | {
            f"{name}{suffix}": getattr(getattr(gap, name), part).tolist()
            for name in ("real", "ideal", "gap", "train_error")
            for suffix, part in (("", "mean"), ("_low", "low"), ("_high", "high"))
        },
    }
