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
        ("inherited_share", 0.0),
        ("inherited_share", 1.5),
    ],
)
def test_an_impossible_setting_is_refused_by_name(name, value):
    with pytest.raises(SettingError, match=name):
        SearchSettings(**{name: value})


def test_settings_do_not_import_torch():
    code = "import pomona.find.search.settings, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
