"""`pomona prune`: fewer weights, and what that costs."""

from typing import Annotated

from pomona.cli.options import Data, Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.compile.pruning.settings import PruneSettings
from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions
from pomona.tasks.options import DataOptions


def prune(
    subject: str,
    *,
    network: str = "default",
    task: str | None = None,
    settings: Annotated[PruneSettings, Flat] = PruneSettings(),
    training: Annotated[FitSettings, Flat] = FitSettings(),
    data: Data = DataOptions(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Make most weights of a network zero, and train the others to make up for it.

    Parameters
    ----------
    subject
        A task (`pomona tasks`), a path to your own data, an artifact folder, or an ONNX or TFLite file.
    network
        A network's name, or a JSON file that describes one.
    task
        Task or data of an artifact, where the run that made it is gone.
    """
    with answer(as_json=json) as reply:
        from pomona.compile.pruning.command import prune_command

        result = prune_command(subject, network, settings, training, task=task, data=data, options=options)
        table = [("", "dense", "sparse")]
        table += [(name, value, result["sparse"].get(name)) for name, value in result["dense"].items()]
        reply.give(
            result,
            [
                f"{result['task']}: {result['nonzero']} of {result['parameters']} weights are not zero, "
                f"{result['file_bytes']} bytes where dense ones take {result['dense_file_bytes']}",
                *rows(table),
                f"artifact  {result['artifact']}",
                f"report    {result['report']}",
            ],
        )
