"""`pomona search`: find the best network."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from pomona.cli.options import Data, Flat, Json, Options
from pomona.cli.output import answer, rows
from pomona.find.search.settings import SearchSettings
from pomona.find.search.trainers.options import TrainerOptions
from pomona.find.tables.settings import ReplaySettings
from pomona.foundation.command import CommandOptions
from pomona.foundation.errors import SettingError
from pomona.tasks.options import DataOptions

# what a search does unless told otherwise is switched off by --no-…
Switched = Parameter(name="*", negative=None, negative_bool="no-", negative_iterable=())


def search(
    subject: str | None = None,
    *,
    settings: Annotated[SearchSettings, Switched] = SearchSettings(),
    trainers: Annotated[TrainerOptions, Flat] = TrainerOptions(),
    blocks: Path | None = None,
    benchmark: str | None = None,
    repetitions: int = ReplaySettings.repetitions,
    replay: Path | None = None,
    trial: tuple[str, ...] = (),
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
    benchmark
        Instead of a subject: replay a strategy of search on tables in which the truth is known, `nas201`,
        `fcnet`, one of their tables, or `all`. It heeds `--strategy`, `--trials` (200 unless given) and
        `--seed`.
    repetitions
        Searches on each table of the benchmark.
    replay
        Instead of a subject: the folder of a search whose models are trained again and compared bit by bit.
    trial
        A model that is replayed, as the result of the search names it; otherwise all that the result is made
        of. Can be given several times.
    """
    with answer(as_json=json) as reply:
        given = [value for value in (subject, benchmark, replay) if value is not None]
        if len(given) != 1:
            raise SettingError("search wants one of: a task or data, --benchmark, --replay")
        if benchmark is not None:
            from pomona.find.table_command import search_table_command

            result = search_table_command(benchmark, _replays(settings, repetitions), options=options)
            reply.give(result, _regrets(result))
        elif replay is not None:
            from pomona.find.search.replay import replay_command

            result = replay_command(replay, models=trial, quiet=options.quiet)
            reply.give(result, [_compared(model) for model in result["models"]])
        else:
            from pomona.find.command import search_command

            result = search_command(
                str(subject), settings, blocks=blocks, data=data, options=options, trainers=trainers
            )
            reply.give(result, _lines(result))


def _replays(settings: SearchSettings, repetitions: int) -> ReplaySettings:
    """The settings of a replay; what was left at the default of a search gets that of a replay."""
    is_given = settings.trials != SearchSettings.trials
    return ReplaySettings(
        settings.method, settings.trials if is_given else ReplaySettings.trials, repetitions
    )


def _regrets(result: dict[str, Any]) -> list[str]:
    names = ("table", "strategy", "regret", "standard_error", "unit")
    told = [tuple(row[name] for name in names) for row in result["tables"]]
    return [*rows([tuple(name.replace("_", " ") for name in names), *told]), f"report    {result['report']}"]


def _compared(model: dict[str, Any]) -> str:
    return f"{model['model']}  {'the same to the last bit' if model['is_same'] else 'DIFFERS'}"


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
