"""The built-in sets of series are listed beside the tasks and described without their data."""

import pytest

from pomona.find.forecasting.sets.describe import describe_set, list_sets
from pomona.find.forecasting.sets.table import SETS
from pomona.tasks.builtin import TASKS


def test_every_set_is_listed_and_none_has_the_name_of_a_task():
    assert [one["name"] for one in list_sets()] == list(SETS)
    assert not set(SETS) & set(TASKS)


@pytest.mark.parametrize("name", SETS)
def test_a_set_says_what_is_forecast_and_by_which_command(name):
    said = describe_set(name)
    assert said["command"] == f"pomona forecast {name}"
    assert said["horizon"] == SETS[name].horizon
    assert {"time", "value"} <= said.keys()
    assert None not in said.values()
