"""The member made of networks: one search, which goes on where it was stopped, and the same numbers again."""

import numpy as np
import pytest
from forecast_samples import panel_of, waves

from pomona.find.forecasting.members import networks
from pomona.find.forecasting.networks.search import Budget, search, usual_budget
from pomona.find.forecasting.problem import histories
from pomona.find.forecasting.settings import ForecastSettings
from pomona.find.forecasting.storing import read_params, write_params
from pomona.foundation.errors import Interrupted
from pomona.foundation.run import temporary_run

TWO = ForecastSettings(trials=2)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    for name in ("FEWEST_STEPS", "MOST_STEPS"):
        monkeypatch.setattr(f"pomona.find.forecasting.networks.search.{name}", 8)


def test_a_search_happens_once_and_later_history_only_trains_on(tmp_path, monkeypatch):
    panel = panel_of(waves())
    cut = panel.ends - panel.horizon
    with temporary_run(seed=0) as run:
        first = networks.fit(histories(panel, cut), cut, TWO, run=run)
        monkeypatch.setattr(networks, "search", None)
        last = networks.fit(panel, panel.ends, TWO, run=run)
        again = networks.fit(panel, panel.ends, TWO, run=run)
    names = [entry["name"] for entry in first.plain["networks"]]
    assert names == [entry["name"] for entry in last.plain["networks"]]
    assert sum(weight for weight, _ in networks.parts_of(last).values()) == pytest.approx(1)
    assert any(not np.array_equal(first.arrays[name], last.arrays[name]) for name in last.arrays)
    told = networks.predict(last, panel, panel.ends)
    assert (np.diff(told.quantiles, axis=2) >= 0).all()
    write_params(tmp_path, last)
    for params in (read_params(tmp_path), again):
        same = networks.predict(params, panel, panel.ends)
        np.testing.assert_array_equal(same.mean, told.mean)
        np.testing.assert_array_equal(same.quantiles, told.quantiles)


def test_a_stopped_search_goes_on_to_the_same_end():
    panel = panel_of(waves())
    budget = Budget(8, trials=1)
    with temporary_run(seed=0) as run:
        whole = search(panel, panel.ends, budget, run=run)
    with temporary_run(seed=0) as run:
        run.clock.interrupted = True
        with pytest.raises(Interrupted):
            search(panel, panel.ends, budget, run=run)
        run.clock.interrupted = False
        again = search(panel, panel.ends, budget, run=run)
    assert [(one.name, one.weight) for one in whole] == [(one.name, one.weight) for one in again]
    for one, other in zip(whole, again, strict=True):
        for name, array in one.params.arrays.items():
            np.testing.assert_array_equal(array, other.params.arrays[name])


def test_series_too_short_for_any_network_are_forecast_as_their_last_value():
    panel = panel_of([np.array([3.0, 5.0]), np.array([7.0]), np.zeros(0)])
    with temporary_run(seed=0) as run:
        params = networks.fit(panel, panel.ends, TWO, run=run)
    assert networks.predict(params, panel, panel.ends).mean[:, 0].tolist() == [5, 7, 0]


def test_without_a_value_to_judge_by_there_is_no_network():
    series = waves(3, 20)
    for values in series:
        values[8:] = np.nan
    panel = panel_of(series)
    with temporary_run(seed=0) as run:
        params = networks.fit(panel, panel.ends, TWO, run=run)
    assert networks.predict(params, panel, panel.ends).mean.tolist() == [[0.0] * 4] * 3


def test_the_usual_budget_grows_with_the_data_and_heeds_the_settings():
    small, large = panel_of(waves()), panel_of(waves(20, 4000))
    assert usual_budget(small).seconds < usual_budget(large).seconds
    assert usual_budget(small, seconds=7.0, trials=3) == Budget(8, 3, 7.0)
