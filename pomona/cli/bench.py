"""`pomona bench`: how fast does it answer?"""

from typing import Annotated, Any

from pomona.cli.options import Data, Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.compile.stopwatch.settings import BenchSettings
from pomona.foundation.command import CommandOptions
from pomona.tasks.options import DataOptions

SHOWN = ("system", "valid", "queries", "p50_ms", "p90_ms", "p99_ms", "early_stopping_ms", "qps", "seconds")


def bench(
    *subject: str,
    settings: Annotated[BenchSettings, Flat] = BenchSettings(),
    data: Data = DataOptions(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Measure how fast something answers, by the rules of MLPerf.

    Parameters
    ----------
    subject
        An artifact's folder, a .onnx or .tflite file, an address or module:function, several of which are
        compared; or a command, in quotes where it has flags of its own.
    """
    with answer(as_json=json) as reply:
        from pomona.compile.stopwatch.command import bench_command

        result = bench_command(subject, settings, data=data, options=options)
        reply.give(result, _lines(result))


def _lines(result: dict[str, Any]) -> list[str]:
    systems = result.get("systems", [result])
    lines = rows([SHOWN, *(tuple(system[name] for name in SHOWN) for system in systems)])
    for system in systems:
        quality = system["quality"]
        if quality is not None:
            shown = "" if quality["reference"] is None else f", the reference has {quality['reference']:.4g}"
            lines.append(f"{system['system']}: {quality['metric']} {quality['value']:.4g}{shown}")
        lines += [f"{system['system']} is not valid: {reason}" for reason in system["reasons"]]
    for name, one in result.get("ratio", {}).items():
        if one["ratio"] is not None:
            interval = "" if one["low"] is None else f" ({one['low']:.3g} to {one['high']:.3g})"
            lines.append(f"{name} is {one['ratio']:.3g}{interval} times as fast as {one['against']}")
    return [*lines, f"report    {result['report']}"]
