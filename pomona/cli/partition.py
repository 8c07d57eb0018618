"""`pomona partition`: a model cut into stages that run as a pipeline."""

from typing import Annotated, Any

from pomona.cli.options import Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.compile.pipeline.settings import PartitionSettings
from pomona.foundation.command import CommandOptions


def partition(
    subject: str,
    *,
    settings: Annotated[PartitionSettings, Flat] = PartitionSettings(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Cut a model into stages that run as a pipeline, a core each, and measure how many go through.

    Parameters
    ----------
    subject
        An artifact's folder or a .onnx file.
    """
    with answer(as_json=json) as reply:
        from pomona.compile.pipeline.command import partition_command

        result = partition_command(subject, settings, options=options)
        reply.give(result, _lines(result))


def _lines(result: dict[str, Any]) -> list[str]:
    stages = ", ".join(f"{ms:.4g}" for ms in result["stage_ms"])
    table: list[tuple[Any, ...]] = [("", "examples a second"), ("predicted", result["predicted_throughput"])]
    shown = {"pipeline": "measured", "one process": "single", "threads": "threads", "replicas": "replicas"}
    table += [(name, result.get(f"{key}_throughput")) for name, key in shown.items()]
    slower = (result["speedup"] or 1.0) < 1.0
    remark = ["one process is faster than the pipeline: the model is too small for stages, or cores are busy"]
    return [
        f"{result['model']}: {result['stages']} stages by {result['method']}, {stages} ms",
        *rows([row for row in table if row[1] is not None]),
        *(remark if slower else []),
        f"plan      {result['plan']}",
        f"report    {result['report']}",
    ]
