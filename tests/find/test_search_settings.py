"""Impossible settings of a search are refused with their name and value."""

import subprocess
import sys

import pytest

from pomona.find.search.settings import SearchSettings
from pomona.foundation.errors import SettingError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trials", 0),
        ("trials", -3),
        ("seconds", 0.0),
        ("seconds", float("nan")),
        ("max_params", 0),
        ("max_latency_ms", -1.0),
        ("finalists", 0),
        ("reevaluations", -0.1),
        ("reevaluations", 1.0),
        ("pruner", "medium"),
        ("inherited_share", 0.0),
        ("inherited_share", 1.5),
    ],
)
def test_an_impossible_setting_is_refused_by_name(name, value):
    with pytest.raises(SettingError, match=name):
        SearchSettings(**{name: value})


def test_an_unknown_strategy_is_refused_before_anything_is_trained():
    from pomona.find.search.problem import make_problem
    from pomona.networks.blocks import BLOCKS
    from pomona.tasks import load_task

    for name in ("beem", "tpe"):
        with pytest.raises(SettingError, match=f"no strategy '{name}'"):
            make_problem(load_task("iris"), SearchSettings(strategy=name), BLOCKS)


def test_several_objectives_are_searched_with_the_strategy_for_them():
    assert SearchSettings().method == "beam"
    assert SearchSettings(objectives=("score", "parameters")).method == "pareto"
    assert SearchSettings(objectives=("score", "parameters"), strategy="random").method == "random"


def test_settings_do_not_import_torch():
    code = "import pomona.find.search.settings, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
