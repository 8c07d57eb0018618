"""`pomona stress`: would another seed behave otherwise?"""

from typing import Annotated

from pomona.cli.options import Data, Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.fit.settings import FitSettings
from pomona.foundation.command import CommandOptions
from pomona.foundation.errors import GateError
from pomona.question.stress.settings import StressSettings
from pomona.tasks.options import DataOptions


def stress(
    subject: str,
    *,
    network: str = "default",
    task: str | None = None,
    settings: Annotated[StressSettings, Flat] = StressSettings(),
    training: Annotated[FitSettings, Flat] = FitSettings(),
    data: Data = DataOptions(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Train many models that differ in the seed alone, and see how far apart they are under stress.

    Parameters
    ----------
    subject
        A task's name (`pomona tasks`), a path to your own data, or an artifact folder.
    network
        A network's name, or a JSON file that describes one.
    task
        Task or data of an artifact, where the run that made it is gone.
    """
    with answer(as_json=json) as reply:
        from pomona.question.stress.command import stress_command

        result = stress_command(subject, network, settings, training, task=task, data=data, options=options)
        clean = result["clean"]
        table = [("", "mean", "sd", "sd by seed", "ratio", "p")]
        table += [("clean", clean["mean"], clean["sd"], clean["seed_sd"], None, None)]
        table += [
            (name, one["mean"], one["sd"], one["seed_sd"], one["ratio"], one["p_adjusted"])
            for name, one in result["stress"].items()
        ]
        reply.give(
            result,
            [
                f"{result['task']}: {result['metric']} of {result['models']} models, "
                f"trained in {result['seconds_all']:.1f} s ({result['seconds_one_model']:.1f} s for one)",
                *rows(table),
                result["finding"],
                *(
                    f"{'met' if one['met'] else 'NOT MET'}: {one['requirement']}, it is {one['value']:.4g}"
                    for one in result["requirements"]
                ),
                f"report    {result['report']}",
            ],
        )
        if result["unmet"]:
            raise GateError(f"{len(result['unmet'])} requirements are not met: {'; '.join(result['unmet'])}")
