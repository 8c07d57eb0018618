"""`search --benchmark` as a command: what it returns, that it goes on, and what it refuses."""

import numpy as np
import pytest

from pomona.find import table_command
from pomona.find.table_command import search_table_command
from pomona.find.tables.settings import ReplaySettings
from pomona.find.tables.table import Table
from pomona.fit.trials.space import Choice, Space
from pomona.foundation.command import CommandOptions
from pomona.foundation.errors import SettingError

SPACE = Space({name: Choice((0, 1, 2)) for name in "abcd"})


@pytest.fixture(autouse=True)
def small_tables(monkeypatch):
    def read(name):
        return Table(name, SPACE, np.random.default_rng(len(name)).normal(size=(81, 2)))

    monkeypatch.setattr(table_command, "read_table", read)


def test_a_strategy_stands_beside_random_search_on_every_table(tmp_path):
    options = CommandOptions(out=tmp_path / "run", quiet=True)
    settings = ReplaySettings(trials=20, repetitions=3)
    result = search_table_command("nas201", settings, options=options)
    assert [(row["table"], row["strategy"]) for row in result["tables"]] == [
        (f"nas201-{data}", strategy)
        for data in ("cifar10", "cifar100", "imagenet16")
        for strategy in ("beam", "random")
    ]
    assert all(row["regret"] >= 0 for row in result["tables"])
    assert "beam" in (tmp_path / "run" / "report.html").read_text()
    assert search_table_command("nas201", settings, options=options) == result


def test_an_interrupted_replay_goes_on_from_the_last_finished_table(tmp_path, monkeypatch):
    options = CommandOptions(out=tmp_path / "run", quiet=True)
    settings = ReplaySettings(trials=10, repetitions=2)
    whole = search_table_command(
        "nas201", settings, options=CommandOptions(out=tmp_path / "whole", quiet=True)
    )
    calls, real = [], table_command.replay

    def dies(*arguments, **keywords):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments, **keywords)

    monkeypatch.setattr(table_command, "replay", dies)
    with pytest.raises(KeyboardInterrupt):
        search_table_command("nas201", settings, options=options)
    resumed = search_table_command("nas201", settings, options=options)
    assert len(calls) == 7
    assert resumed["tables"] == whole["tables"]


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [("nas2O1", {}, "no benchmark"), ("nas201", {"strategy": "beem"}, "did you mean 'beam'")],
)
def test_unknown_names_are_refused(tmp_path, name, changes, message):
    with pytest.raises(SettingError, match=message):
        search_table_command(name, ReplaySettings(**changes), options=CommandOptions(out=tmp_path / "run"))


@pytest.mark.parametrize("changes", [{"trials": 0}, {"repetitions": 1}])
def test_impossible_settings_of_a_replay_are_refused(changes):
    with pytest.raises(SettingError):
        ReplaySettings(**changes)
