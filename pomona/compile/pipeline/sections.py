"""What the report shows of a partition: throughput, stages, what crosses, methods, training schedules."""

from pathlib import Path
from typing import Any

from pomona.compile.pipeline.choose import METHODS
from pomona.compile.pipeline.partition import Partitioned
from pomona.compile.pipeline.schedule_section import write_schedule_section
from pomona.compile.pipeline.settings import PartitionSettings
from pomona.compile.pipeline.throughput import SYSTEMS, Throughput
from pomona.compile.pipeline.traced import Traced
from pomona.foundation.report import bars, number, numbers, span, table, timeline, write_section

SYSTEM_NAMES = {
    "single": "one process, one core",
    "pipeline": "the pipeline",
    "threads": "one process, a thread a core",
    "replicas": "a replica a core",
}

METHOD_NAMES = {
    "exact": "dynamic programming on the sum of parts",
    "bisection": "bisection, every stage timed as a whole",
    "equal-nodes": "as many nodes in each",
    "equal-parameters": "as many parameters in each",
}

DRAWN_ENTRIES = 6


def write_partition_sections(
    folder: Path,
    traced: Traced,
    made: Partitioned,
    measured: Throughput | None,
    settings: PartitionSettings,
) -> None:
    """Writes all sections into the run's folder."""
    if measured is not None:
        write_section(folder, 10, "throughput", "How many go through", _throughput(made, measured), _LEAD)
    write_section(folder, 20, "stages", "Stages", _stages(traced, made))
    write_section(folder, 30, "crossings", "Where it is cut, and what crosses", [_crossings(traced, made)])
    write_section(folder, 40, "methods", "Ways to cut", _methods(made))
    write_section(
        folder, 50, "flow", "Entries on their way", [_flow(made)], "As the times of the stages foretell it."
    )
    if len(made.partition.stages) > 1:
        write_schedule_section(folder, 60, made, settings.micro_batches)


_LEAD = (
    "Systems ran in turn. The single process is pinned to one core; threads and replicas have as many cores "
    "as the pipeline."
)


def _throughput(made: Partitioned, measured: Throughput) -> list[dict[str, Any]]:
    batch = made.partition.batch
    predicted = made.partition.predicted_throughput
    rates = {name: measured.median(name) * batch for name in SYSTEMS}
    figures = numbers(
        number("examples a second", rates["pipeline"]),
        number("times as fast as one process", measured.ratio),
        number("predicted", predicted, note=f"{rates['pipeline'] / predicted - 1:+.1%} measured"),
    )
    spread = {
        SYSTEM_NAMES[name]: (rates[name], batch * min(rounds), batch * max(rounds))
        for name, rounds in measured.rounds.items()
    }
    rows = [
        [SYSTEM_NAMES[name], rates[name], rates[name] / rates["single"], *(batch * one for one in rounds)]
        for name, rounds in measured.rounds.items()
    ]
    columns = ["system", "examples a second", "times as fast"]
    columns += [f"round {place + 1}" for place in range(len(measured.rounds["single"]))]
    caption = "the middle of the rounds; lines span from the slowest to the fastest"
    return [figures, bars(spread, "examples a second", caption=caption), table(columns, rows, highlight=1)]


def _stages(traced: Traced, made: Partitioned) -> list[dict[str, Any]]:
    stages = made.partition.stages
    heights = {f"stage {place + 1}": stage.predicted_us / 1e3 for place, stage in enumerate(stages)}
    rows = [
        [
            place + 1,
            stage.predicted_us / 1e3,
            stage.nodes[1] - stage.nodes[0],
            _most_frequent(traced, stage.nodes),
            stage.parameter_bytes,
            stage.memory_bytes,
        ]
        for place, stage in enumerate(stages)
    ]
    columns = ["stage", "ms", ("nodes", "integer"), "mostly", ("parameters", "bytes"), ("memory", "bytes")]
    caption = "memory: parameters, and the most tensors that are alive in it"
    return [bars(heights, "ms an entry"), table(columns, rows, caption=caption)]


def _most_frequent(traced: Traced, nodes: tuple[int, int]) -> str:
    kinds = [node.op_type for node in traced.chain.nodes[slice(*nodes)]]
    most = sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))[:4]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in most)


def _crossings(traced: Traced, made: Partitioned) -> dict[str, Any]:
    rows = []
    names = ["into stage 1", *(f"from stage {k + 1} to {k + 2}" for k in range(len(made.models) - 1)), "out"]
    places = [made.partition.stages[0].nodes[0], *(stage.nodes[1] for stage in made.partition.stages)]
    for name, place, tensors in zip(names, places, made.partition.crossings, strict=True):
        after = traced.chain.nodes[place - 1] if place else None
        where = "" if after is None else f"{after.op_type} {after.name or after.output[0]}"
        for tensor in tensors:
            shape = " × ".join(map(str, tensor.shape))
            rows.append([name, where, tensor.name, shape, tensor.dtype, tensor.size_bytes])
    return table(["where", "after the node", "tensor", "shape", "type", ("size", "bytes")], rows)


def _methods(made: Partitioned) -> list[dict[str, Any]]:
    whole = {one.method: sum(one.stage_us) for one in made.found}
    rows = [
        [
            one.method,
            METHOD_NAMES[one.method],
            one.slowest_us / 1e3,
            whole[one.method] / (len(one.stage_us) * one.slowest_us),
            " ".join(f"{us / 1e3:.4g}" for us in one.stage_us),
        ]
        for one in made.found
    ]
    columns = ["method", "how", "slowest stage, ms", ("balance", "percent"), "stages, ms"]
    best = [one.method for one in made.found].index(made.chosen.method)
    caption = "balance: the mean stage by the slowest; the row that stands out is the one that was taken"
    left_out = [name for name in METHODS if name not in whole]
    if left_out:
        caption += f"; not tried, or beyond the memory: {', '.join(left_out)}"
    return [table(columns, rows, highlight=best, caption=caption)]


def _flow(made: Partitioned) -> dict[str, Any]:
    stage_ms = [stage.predicted_us / 1e3 for stage in made.partition.stages]
    lanes = [f"stage {place + 1}" for place in range(len(stage_ms))]
    spans, free = [], [0.0] * len(stage_ms)
    for entry in range(DRAWN_ENTRIES):
        moment = 0.0
        for place, spent in enumerate(stage_ms):
            start = max(moment, free[place])
            moment = free[place] = start + spent
            spans.append(span(lanes[place], start, moment, f"entry {entry + 1}", group=f"entry {entry + 1}"))
    return timeline(lanes, spans, "ms")
