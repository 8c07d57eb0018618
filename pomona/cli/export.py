"""`pomona export`: a saved model as files for other programs."""

from pathlib import Path
from typing import Annotated, Any

from pomona.cli.options import Data, Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.export.exporting.settings import ExportSettings
from pomona.foundation.command import CommandOptions
from pomona.foundation.errors import GateError
from pomona.tasks.options import DataOptions


def export(
    artifact: Path,
    *,
    settings: Annotated[ExportSettings, Flat] = ExportSettings(),
    blocks: Path | None = None,
    data: Data = DataOptions(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Write a saved model as ONNX, in eight bits, or as a torch.export program, and say what each costs.

    Parameters
    ----------
    artifact
        An artifact's folder.
    blocks
        The file of your own blocks that the network was made with.
    """
    with answer(as_json=json) as reply:
        from pomona.export.exporting.command import export_command

        result = export_command(artifact, settings, blocks=blocks, data=data, options=options)
        reply.give(result, _lines(result))
        if not result["met"] and settings.most_lost is not None:
            raise GateError(
                f"int8 loses more than {settings.most_lost:.2%} of the quality that the artifact has"
            )


def _lines(result: dict[str, Any]) -> list[str]:
    table: list[tuple[Any, ...]] = [("", "file", "bytes", "difference", "quality", "was", "latency_ms")]
    for name, one in result["files"].items():
        quality = one["quality"] or {"value": None, "reference": None}
        values = (one["bytes"], one["difference"], quality["value"], quality["reference"], one["latency_ms"])
        table.append((name, one["file"], *values))
    return [*rows(table), f"files     {result['folder']}", f"report    {result['report']}"]
