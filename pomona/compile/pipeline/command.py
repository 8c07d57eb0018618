"""`partition` as a command: a model in, stages that run as a pipeline and how fast they are out."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.pipeline.chain import read_chain
from pomona.compile.pipeline.costs import Costs
from pomona.compile.pipeline.partition import Partitioned, partitioned, timed_together
from pomona.compile.pipeline.partition_file import write_partition
from pomona.compile.pipeline.profile import Profile, machine, profile_path
from pomona.compile.pipeline.sections import write_partition_sections
from pomona.compile.pipeline.settings import PartitionSettings
from pomona.compile.pipeline.subject import Subject, example_of, open_subject
from pomona.compile.pipeline.throughput import SYSTEMS, Throughput, throughput
from pomona.compile.pipeline.traced import Traced, trace
from pomona.compile.pipeline.transfer import measured_transfer
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.files import write_bytes
from pomona.foundation.keywords import split_keywords
from pomona.foundation.report import write_report
from pomona.foundation.run import Run

PARTITION = "partition"
WHOLE = "whole.onnx"


def partition(subject: str | Path, **keywords: Any) -> dict[str, Any]:
    """A model cut into stages: the same as `pomona partition`. Returns what `--json` prints.

    `subject` is an artifact's folder or an ONNX file; keywords are the fields of PartitionSettings and
    CommandOptions. `Pipeline(result["plan"])` runs the stages. Raises InputError when something is wrong.

    >>> partition("model.onnx", stages=2)["predicted_throughput"]  # doctest: +SKIP
    412.6
    """
    settings, options = split_keywords(keywords, PartitionSettings, CommandOptions)
    return partition_command(str(subject), settings, options=options)


def partition_command(
    subject: str, settings: PartitionSettings, *, options: CommandOptions
) -> dict[str, Any]:
    """The result of the command, from its finished run when there is one."""
    opened = open_subject(subject)
    example = example_of(opened, settings, seed=options.seed)
    identity = {
        **asdict(settings),
        "content": opened.sha256,
        "shapes": {name: array.shape for name, array in example.items()},
        # another machine has other times
        "machine": machine(),
    }

    def method(run: Run) -> dict[str, Any]:
        return _result(opened, example, settings, run=run)

    return carry_out(method, verb="partition", subject=opened.name, identity=identity, options=options)


def _result(
    subject: Subject, example: dict[str, np.ndarray], settings: PartitionSettings, *, run: Run
) -> dict[str, Any]:
    traced = trace(read_chain(subject.content), example)
    made = _partitioned(subject, traced, settings, run)
    folder = run.folder / PARTITION
    write_partition(folder, made.partition, made.models)
    run.check_interrupt()
    made = timed_together(made, folder)
    plan = write_partition(folder, made.partition, made.models)
    measured = None if settings.predict_only else _measured(traced, example, settings, plan, run)
    run.check_interrupt()
    result = {
        "model": subject.name,
        "stages": settings.stages,
        "stage_ms": [stage.predicted_us / 1e3 for stage in made.partition.stages],
        "predicted_throughput": made.partition.predicted_throughput,
        **_throughputs(measured, made.partition.batch),
        "method": made.chosen.method,
        "batch": made.partition.batch,
        "methods": {
            one.method: {"slowest_ms": one.slowest_us / 1e3, "stage_ms": [us / 1e3 for us in one.stage_us]}
            for one in made.found
        },
        "plan": str(plan.relative_to(run.folder)),
        "report": "report.html",
    }
    write_partition_sections(run.folder, traced, made, measured, settings)
    write_report(run.folder)
    return result


def _partitioned(subject: Subject, traced: Traced, settings: PartitionSettings, run: Run) -> Partitioned:
    profile = Profile(traced, profile_path(subject.sha256, traced))
    memory_bytes = float("inf") if settings.memory_mb is None else settings.memory_mb * 1e6
    costs = Costs(traced, profile, measured_transfer(), memory_bytes)
    parts = list(zip(traced.places, traced.places[1:], strict=False))
    with run.progress("timing parts", len(parts), "parts") as progress:
        for start, end in parts:
            profile(start, end)
            progress.advance()
            if run.should_stop():
                break
    profile.save()
    run.check_interrupt()
    run.console.line(f"looking for cuts, at most {settings.profile_seconds:g} s")
    try:
        return partitioned(
            costs,
            settings.stages,
            name=subject.name,
            method=settings.method,
            seconds=settings.profile_seconds,
            should_stop=run.should_stop,
        )
    finally:
        profile.save()


def _measured(
    traced: Traced, example: dict[str, np.ndarray], settings: PartitionSettings, plan: Path, run: Run
) -> Throughput:
    run.console.line("running the pipeline and the whole model in turn")
    whole = run.folder / "state" / WHOLE
    write_bytes(whole, traced.chain.part_model(0, len(traced.chain.nodes), traced.tensors))
    try:
        return throughput(plan, whole, example, seconds=settings.measure_seconds, num_rounds=settings.rounds)
    finally:
        whole.unlink()


def _throughputs(measured: Throughput | None, batch: int) -> dict[str, Any]:
    if measured is None:
        return {"measured_throughput": None, "single_throughput": None, "speedup": None}
    told = {name: batch * measured.median(name) for name in SYSTEMS}
    return {
        "measured_throughput": told["pipeline"],
        "single_throughput": told["single"],
        "threads_throughput": told["threads"],
        "replicas_throughput": told["replicas"],
        "speedup": measured.ratio,
    }
