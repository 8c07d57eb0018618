"""`pomona tasks`: the built-in tasks, and the built-in sets of series."""

from pomona.cli.options import Json
from pomona.cli.output import answer, rows


def tasks(name: str | None = None, /, *, json: Json = False) -> None:
    """List the built-in tasks and the sets of series that `pomona forecast` knows, or show one.

    Parameters
    ----------
    name
        The task to show; its data is fetched when it is not there yet.
    """
    with answer(as_json=json) as reply:
        from pomona.find.forecasting.sets.describe import describe_set, list_sets
        from pomona.find.forecasting.sets.table import SETS
        from pomona.tasks.describe import describe_task, list_tasks

        if name is None:
            listed, series = list_tasks(), list_sets()
            table = [(task["name"], task["about"]) for task in listed]
            table += [
                ("series for `forecast`", "what it is"),
                *((one["name"], one["about"]) for one in series),
            ]
            reply.give({"tasks": listed, "series": series}, rows([("task", "what it is"), *table]))
        else:
            shown = describe_set(name) if name in SETS else describe_task(name)
            reply.give(shown, rows([(key, _short(value)) for key, value in shown.items()]))


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)
