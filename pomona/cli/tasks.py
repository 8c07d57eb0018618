"""`pomona tasks`: the built-in tasks."""

from pomona.cli.options import Json
from pomona.cli.output import answer, rows


def tasks(name: str | None = None, /, *, json: Json = False) -> None:
    """List the built-in tasks, or show one.

    Parameters
    ----------
    name
        The task to show; its data is fetched when it is not there yet.
    """
    with answer(as_json=json) as reply:
        from pomona.tasks.describe import describe_task, list_tasks

        if name is None:
            listed = list_tasks()
            table = [(task["name"], task["about"]) for task in listed]
            reply.give({"tasks": listed}, rows([("task", "what it is"), *table]))
        else:
            shown = describe_task(name)
            reply.give(shown, rows([(key, _short(value)) for key, value in shown.items()]))


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)
