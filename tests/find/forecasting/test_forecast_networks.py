"""Forecasting networks, trained for a moment: units, zeros, gaps, resuming, and the same numbers again."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from forecast_samples import QUICK, panel_of, waves

from pomona.find.forecasting.frequency import Frequency
from pomona.find.forecasting.networks import member, objective
from pomona.find.forecasting.networks.space import forecasting_space, sight_of, starting_points
from pomona.find.forecasting.problem import QUANTILES, Forecast, Params
from pomona.find.forecasting.storing import params_files, read_params, write_params
from pomona.fit.trials.space import Point
from pomona.foundation.errors import Interrupted
from pomona.foundation.files import to_json
from pomona.foundation.run import temporary_run
from pomona.nn.forecast_laws import LAWS


def trained(panel, steps: int = 20, **changes) -> Params:
    point: Point = {**QUICK, **changes}
    with temporary_run(seed=1) as run:
        return member.fit(panel, panel.ends, run=run, point=point, steps=steps)


def check(forecast: Forecast, panel) -> None:
    shape = (panel.num_series, panel.horizon)
    assert forecast.mean.shape == shape
    assert forecast.quantiles.shape == (*shape, len(QUANTILES))
    assert np.isfinite(forecast.mean).all()
    assert np.isfinite(forecast.quantiles).all()
    assert (np.diff(forecast.quantiles, axis=2) >= 0).all()
    if forecast.nonzero is not None:
        assert ((forecast.nonzero >= 0) & (forecast.nonzero <= 1)).all()


@pytest.mark.parametrize("law", LAWS)
def test_every_law_trains_and_gives_quantiles_in_order(law):
    random = np.random.default_rng(0)
    panel = panel_of([random.poisson(1.0, 40).astype(float) for _ in range(5)])
    params = trained(panel, 10, law=law, logarithm=law in ("huber", "quantile"), tells_level=True)
    check(member.predict(params, panel, panel.ends), panel)


@pytest.mark.parametrize("scaling", ["mean", "standard", "robust", "difference"])
def test_a_million_times_the_values_is_a_million_times_the_forecast(scaling):
    panel = panel_of(waves())
    large = replace(panel, values=panel.values * np.float32(1e6))
    params = trained(panel, 10, scaling=scaling, logarithm=True)
    small, big = (member.predict(params, one, one.ends) for one in (panel, large))
    np.testing.assert_allclose(big.mean, 1e6 * small.mean, rtol=1e-4)
    np.testing.assert_allclose(big.quantiles, 1e6 * small.quantiles, rtol=1e-4)


def test_series_of_zeros_are_forecast_as_zeros_with_little_chance_of_anything_else():
    random = np.random.default_rng(0)
    series = [random.poisson(0.4, 60) * (1.0 + index) for index in range(10)] + [np.zeros(60)] * 10
    panel = panel_of(series)
    forecast = member.predict(trained(panel, 150, law="zero-inflated"), panel, panel.ends)
    check(forecast, panel)
    assert not forecast.mean[10:].any()
    assert not forecast.quantiles[10:].any()
    assert forecast.nonzero is not None
    assert forecast.nonzero[10:].max() < 0.1
    assert 0.2 < forecast.nonzero[:10].mean() < 0.6


def test_a_seasonal_series_without_noise_is_learned():
    series = [index + 3 + np.sin(np.pi * np.arange(60) / 2 + index) for index in range(6)]
    panel = panel_of(series)
    cut = panel.ends - panel.horizon
    with temporary_run(seed=1) as run:
        point = {**QUICK, "law": "huber", "learning_rate": 1e-2}
        params = member.fit(panel, cut, run=run, point=point, steps=150)
    told = member.predict(params, panel, cut).mean
    truth = np.stack([own[-4:] for own in series])
    assert np.abs(told - truth).mean() < 0.1


def test_gaps_and_short_series_are_no_hindrance():
    series = waves()
    series[0][5:20] = np.nan
    series[1] = series[1][:3]
    series[2][:] = np.nan
    series[3] = series[3][:0]
    panel = panel_of(series)
    params = trained(panel, scaling="robust", knows_series=True)
    check(member.predict(params, panel, panel.ends), panel)
    check(member.predict(params, panel, panel.ends + 3), panel)


def test_a_saved_network_says_the_same_again_and_reads_nothing_after_the_cut(tmp_path):
    panel = panel_of(waves())
    params = trained(panel, encoder="multi-rate", lags=True)
    assert json.loads(params_files(params)["params.json"]) == json.loads(to_json(params.plain))
    write_params(tmp_path, params)
    cut = panel.ends - 6
    first = member.predict(params, panel, cut)
    values = panel.values.copy()
    for series in range(panel.num_series):
        values[panel.offsets[series + 1] - 6 : panel.offsets[series + 1]] = -1e9
    again = member.predict(read_params(tmp_path), replace(panel, values=values), cut)
    np.testing.assert_array_equal(first.mean, again.mean)
    np.testing.assert_array_equal(first.quantiles, again.quantiles)


def test_a_stopped_training_goes_on_to_the_same_weights():
    panel = panel_of(waves())
    whole = trained(panel, 12, dropout=0.1)
    with temporary_run(seed=1) as run:
        run.clock.interrupted = True
        with pytest.raises(Interrupted):
            member.fit(panel, panel.ends, run=run, point={**QUICK, "dropout": 0.1}, steps=12)
        run.clock.interrupted = False
        again = member.fit(panel, panel.ends, run=run, point={**QUICK, "dropout": 0.1}, steps=12)
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(array, again.arrays[name])


def test_yearly_series_have_no_season_and_no_clock_and_are_forecast_all_the_same():
    panel = panel_of(waves(4, 30), horizon=5)
    panel = replace(panel, freq=Frequency("year"))
    params = trained(panel, 5)
    check(member.predict(params, panel, panel.ends), panel)


def test_starts_are_points_of_the_space_and_their_networks_can_be_built():
    for season, horizon, length in ((4, 8, 40), (12, 12, 90), (1, 6, 20), (24, 48, 500)):
        panel = panel_of(waves(3, length), season=season, horizon=horizon)
        sight = sight_of(panel, panel.ends)
        space, points = forecasting_space(sight), starting_points(sight)
        assert len(points) >= 3
        random = np.random.default_rng(0)
        for point in (*points, *(space.sample(random) for _ in range(3))):
            assert space.contains(point)
            design = member.design_for(panel, panel.ends, point, sight)
            check_design = member.params_of(design, {})
            assert member.read_design(check_design) == design


def test_the_pinball_loss_is_least_at_the_quantiles():
    random = np.random.default_rng(0)
    truth = torch.tensor(random.standard_exponential((4000, 1)))
    best = torch.tensor(np.quantile(truth.numpy(), QUANTILES))
    losses = [
        objective.pinball((best + shift).expand(4000, 1, 9), truth, QUANTILES).mean().item()
        for shift in (0.0, 0.05, -0.05)
    ]
    assert losses[0] < min(losses[1:])


def test_deviance_and_likelihood_are_least_at_the_mean_and_those_of_scipy():
    from scipy.stats import nbinom

    truth = torch.tensor([0.0, 1.0, 4.0, 2.0], dtype=torch.float64)
    means = torch.linspace(0.5, 4, 71, dtype=torch.float64)
    deviance = torch.stack([objective.tweedie_deviance(mean, truth).mean() for mean in means])
    assert means[deviance.argmin()].item() == pytest.approx(truth.mean().item())
    heads = {"y": torch.full((1, 4, 1), 1.5).double(), "spread": torch.full((1, 4), 2.0).double()}
    nats = objective.negative_binomial(heads, {}, truth[None], torch.ones(1, 1))
    np.testing.assert_allclose(nats[0], -nbinom.logpmf(truth.numpy(), 2.0, 2.0 / 3.5))
