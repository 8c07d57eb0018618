"""`pomona search`: find the best network."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from pomona.cli.options import Data, Json, Options
from pomona.cli.output import answer, rows
from pomona.find.search.settings import SearchSettings
from pomona.foundation.command import CommandOptions
from pomona.tasks.options import DataOptions

# what a search does unless told otherwise is switched off by --no-…
Switched = Parameter(name="*", negative=None, negative_bool="no-", negative_iterable=())


def search(
    subject: str,
    *,
    settings: Annotated[SearchSettings, Switched] = SearchSettings(),
    blocks: Path | None = None,
    data: Data = DataOptions(),
    options: Options = CommandOptions(),
    json: Json = False,
) -> None:
    """Find the best network for a built-in task or for your own data.

    Parameters
    ----------
    subject
        A task's name (`pomona tasks`), a CSV, Parquet or npz file, or a folder of images or recordings.
    blocks
        A Python file with blocks of your own; they join the search.
    """
    with answer(as_json=json) as reply:
        from pomona.find.command import search_command

        result = search_command(subject, settings, blocks=blocks, data=data, options=options)
        reply.give(result, _lines(result))


def _lines(result: dict[str, Any]) -> list[str]:
    best, ensemble, baseline = result["best"], result["ensemble"], result["baseline"]
    student, latency = result["student"], _ms(best["latency_ms"])
    table = [
        ("", "valid", "test", "parameters", "latency"),
        ("best network", best["valid"], best["test"], best["parameters"], latency),
        (f"ensemble of {len(ensemble['members'])}", ensemble["valid"], ensemble["test"], None, None),
        *([] if student is None else [_student(student)]),
        (f"baseline: {baseline['name']}", baseline["valid"], baseline["test"], None, None),
    ]
    return [
        f"{result['task']} ({result['kind']}): {result['metric']}",
        *rows(table),
        *_expected(best["corrected"]),
        *_unbeaten(result["pareto"]),
        f"artifact  {result['artifact']}",
        f"report    {result['report']}",
    ]


def _expected(corrected: dict[str, Any] | None) -> list[str]:
    """What the best network is to be expected to score, once the luck of being chosen is taken off."""
    if corrected is None or corrected["interval"] is None:
        return []
    low, high = corrected["interval"]
    count = corrected["trainings"]
    return [f"expected  {corrected['valid']:.4g} on valid, {low:.4g} to {high:.4g}, from {count} trainings"]


def _unbeaten(models: list[dict[str, Any]]) -> list[str]:
    if not models:
        return []
    names = [name for name in models[0] if name != "interval"]
    return ["no other model beats", *rows([tuple(names), *(tuple(m[n] for n in names) for m in models)])]


def _student(student: dict[str, Any]) -> tuple[Any, ...]:
    latency = _ms(student["latency_ms"])
    return "student", student["valid"], student["test"], student["parameters"], latency


def _ms(milliseconds: float | None) -> str | None:
    return None if milliseconds is None else f"{milliseconds:.3g} ms"
