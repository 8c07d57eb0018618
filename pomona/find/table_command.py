"""`search --benchmark`: strategies of search replayed on tables in which the truth is known."""

from dataclasses import asdict
from typing import Any

from pomona.find.tables.catalogue import TABLES, tables_named
from pomona.find.tables.reading import read_table
from pomona.find.tables.regret import Regret, replay
from pomona.find.tables.settings import ReplaySettings
from pomona.fit.trials.strategies.methods import METHODS
from pomona.foundation.command import CommandOptions, carry_out
from pomona.foundation.errors import unknown_name
from pomona.foundation.report import table, write_report, write_section
from pomona.foundation.run import Run

BASELINE = "random"


def search_table_command(
    name: str,
    settings: ReplaySettings,
    *,
    options: CommandOptions,
) -> dict[str, Any]:
    """The regrets of a strategy and of random search on a table, a family of tables, or all.

    `name` is one of TABLES, `nas201`, `fcnet` or `all`. Returns what `--json` prints: under `tables` one
    entry a table and strategy, with the mean regret, its standard error and its unit. Raises SettingError for
    an unknown benchmark or strategy; an interrupted replay goes on from the last finished table.
    """
    tables = tables_named(name)
    if settings.strategy not in METHODS:
        raise unknown_name("strategy", settings.strategy, METHODS)
    strategies = tuple(dict.fromkeys((settings.strategy, BASELINE)))

    def method(run: Run) -> dict[str, Any]:
        rows = _replays(tables, strategies, settings, run)
        return _reported(name, settings, rows, run)

    return carry_out(
        method,
        verb="search",
        subject=f"benchmark-{name}",
        identity={"benchmark": name, **asdict(settings)},
        options=options,
    )


def _replays(
    tables: tuple[str, ...], strategies: tuple[str, ...], settings: ReplaySettings, run: Run
) -> list[dict[str, Any]]:
    done: dict[str, dict[str, Any]] = run.restore("replays") or {}
    with run.progress("replays", len(tables) * len(strategies), "replays") as progress:
        progress.advance(len(done))
        for table_name in tables:
            for strategy in strategies:
                key = f"{table_name} {strategy}"
                if key not in done:
                    regret = replay(
                        read_table(table_name),
                        METHODS[strategy],
                        trials=settings.trials,
                        repetitions=settings.repetitions,
                        seed=run.seed,
                    )
                    done[key] = _row(table_name, strategy, regret)
                    run.save("replays", done)
                    progress.advance()
                run.check_interrupt()
    return list(done.values())


def _row(table_name: str, strategy: str, regret: Regret) -> dict[str, Any]:
    is_loss = TABLES[table_name].is_loss
    return {
        "table": table_name,
        "strategy": strategy,
        "regret": regret.mean,
        "standard_error": regret.standard_error,
        "unit": "loss above the lowest, as a share of it" if is_loss else "points of accuracy",
        "regret_of_highest_score": regret.naive_mean,
        "different_points": regret.num_points,
    }


def _reported(name: str, settings: ReplaySettings, rows: list[dict[str, Any]], run: Run) -> dict[str, Any]:
    write_section(
        run.folder,
        10,
        "regrets",
        "Regret",
        [_table(rows)],
        lead=f"How far the point that a search of {settings.trials} trials chose lies below the best one in "
        f"truth, on average over {settings.repetitions} searches. Every strategy gets the same answers.",
    )
    write_report(run.folder, title=f"Search on {name}")
    return {
        "benchmark": name,
        "strategy": settings.strategy,
        "trials": settings.trials,
        "repetitions": settings.repetitions,
        "tables": rows,
        "report": "report.html",
    }


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    names = ["table", "strategy", "regret", "standard_error", "unit", "different_points"]
    return table([n.replace("_", " ") for n in names], [[row[n] for n in names] for row in rows])
