"""`pomona uncertainty`: how sure is it, and how rightly?"""

from typing import Annotated

from pomona.cli.options import Data, Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions
from pomona.question.uncertainty.settings import UncertaintySettings
from pomona.tasks.options import DataOptions

SHOWN = {
    "classify": ("nll", "brier", "accuracy", "ece", "coverage", "set_size", "seconds_per_1000"),
    "regress": ("nll", "crps", "rmse", "coverage", "width", "seconds_per_1000"),
}


def uncertainty(
    subject: str,
    *,
    network: str = "default",
    settings: Annotated[UncertaintySettings, Flat] = UncertaintySettings(),
    training: Annotated[FitSettings, Flat] = FitSettings(),
    data: Data = DataOptions(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Fit a network in ways that say how sure they are, and measure how well they know.

    Parameters
    ----------
    subject
        A task's name (`pomona tasks`), a path to your own data, or an artifact folder.
    network
        A network's name, or a JSON file that describes one.
    """
    with answer(as_json=json) as reply:
        from pomona.question.uncertainty.command import uncertainty_command

        result = uncertainty_command(subject, network, settings, training, data=data, options=options)
        shown = SHOWN[result["kind"]]
        table = [("", *shown)]
        table += [(name, *(row.get(one) for one in shown)) for name, row in result["methods"].items()]
        reply.give(
            result,
            [
                f"{result['task']}: test data; best on validation data: {result['best']}",
                *rows(table),
                f"report    {result['report']}",
            ],
        )
