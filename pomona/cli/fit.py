"""`pomona fit`: train one network."""

from pathlib import Path
from typing import Annotated

from pomona.cli.options import Data, Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions
from pomona.tasks.options import DataOptions


def fit(
    subject: str,
    *,
    network: str = "default",
    settings: Annotated[FitSettings, Flat] = FitSettings(),
    blocks: Path | None = None,
    data: Data = DataOptions(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Train one network on a built-in task or on your own data.

    Parameters
    ----------
    subject
        A task's name (`pomona tasks`), a CSV, Parquet or npz file, or a folder of images or recordings.
    network
        A network's name, a JSON file that describes one, or the folder of a vision transformer that timm or
        Hugging Face saved, to go on from its weights.
    blocks
        A Python file with blocks of your own, for a network that uses them.
    """
    with answer(as_json=json) as reply:
        from pomona.fit.command import fit_command

        result = fit_command(subject, network, settings, blocks=blocks, data=data, options=options)
        table = [("", "valid", "test")]
        table += [(name, value, result["test"].get(name)) for name, value in result["valid"].items()]
        reply.give(
            result,
            [
                f"{result['task']}: {result['network']}, {result['parameters']} parameters, "
                f"{result['steps']} steps in {result['seconds']:.1f} s",
                *rows(table),
                f"artifact  {result['artifact']}",
                f"report    {result['report']}",
            ],
        )
