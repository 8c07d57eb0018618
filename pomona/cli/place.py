"""`pomona place`: where each operation should run, and when."""

from typing import Annotated, Any

from pomona.cli.options import Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.compile.placement.settings import PlaceSettings
from pomona.foundation.command import CommandOptions

SHOWN = ("plan by", "step ms", "peak GB", "fits")


def place(
    graph: str,
    *,
    settings: Annotated[PlaceSettings, Flat] = PlaceSettings(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Place the operations of a graph on devices, order them and fuse them, so that a step is short.

    Parameters
    ----------
    graph
        A graph file (.json, .npz), an artifact's folder, a .onnx file, module:function, or a family of
        graphs such as gnmt-8 or inception.
    """
    with answer(as_json=json) as reply:
        from pomona.compile.placement.command import place_command

        result = place_command(graph, settings, options=options)
        reply.give(result, _lines(result))


def _lines(result: dict[str, Any]) -> list[str]:
    plans = sorted(result["plans"].items(), key=lambda item: (not item[1]["valid"], item[1]["step_ms"]))
    table = [
        (name, one["step_ms"], one["peak_memory_bytes"] / 1e9, "yes" if one["valid"] else "no")
        for name, one in plans
    ]
    chosen = result["chosen"]
    lines = [f"{result['nodes']} nodes on {result['devices']} devices", *rows([SHOWN, *table])]
    if chosen["by"] is None:
        lines.append("no plan fits into the devices' memory")
    else:
        lines.append(
            f"chosen    {chosen['by']}: {chosen['step_ms']:.4g} ms a step, at most "
            f"{100 * chosen['gap_to_bound']:.3g} % above the least possible"
        )
    return [*lines, f"plan      {result['plan']}", f"report    {result['report']}"]
