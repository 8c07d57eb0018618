"""`pomona bootstrap`: the real world against the ideal one."""

from typing import Annotated, Any

from pomona.cli.options import Data, Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions
from pomona.question.bootstrap.settings import BootstrapSettings
from pomona.tasks.options import DataOptions


def bootstrap(
    subject: str,
    *,
    network: str = "default",
    worlds: Annotated[BootstrapSettings, Flat] = BootstrapSettings(),
    settings: Annotated[FitSettings, Flat] = FitSettings(),
    data: Data = DataOptions(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Compare training on the same examples again and again with training on ever fresh ones.

    Parameters
    ----------
    subject
        A world that draws examples without end (glyphs, …), a Python file with a function `draw`, a task's
        name, your own data, or the artifact of a network.
    network
        A network's name, or a JSON file that describes one.
    """
    with answer(as_json=json) as reply:
        from pomona.question.bootstrap.command import bootstrap_command

        result = bootstrap_command(subject, network, worlds, settings, data=data, options=options)
        reply.give(result, _lines(result))


def _lines(result: dict[str, Any]) -> list[str]:
    """The result for a person."""
    table = [("examples", "steps", "train error", "real", "ideal", "gap", "lowest", "highest")]
    table += [
        (size, *(one[key] for key in ("steps", "train_error", "real", "ideal", "gap")), *one["gap_interval"])
        for size, one in result["sizes"].items()
    ]
    compared = [sizes for values in result["compared"].values() for sizes in values.values()]
    return [
        f"{result['task']}: soft error in both worlds, {result['seeds']} seeds",
        *rows(table),
        *(" ".join(one["sentences"]) for one in result["sizes"].values()),
        *(one["sentence"] for sizes in compared for one in sizes.values()),
        f"report    {result['report']}",
    ]
