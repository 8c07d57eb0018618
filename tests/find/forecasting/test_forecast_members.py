from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pomona.find.forecasting.frequency import Frequency
from pomona.find.forecasting.members import (
    adida,
    ces,
    croston,
    ets,
    imapa,
    likest,
    naive,
    seasons,
    theta,
    tsb,
)
from pomona.find.forecasting.members.boosting.features import Rows, features, grid_of, level_and_scale
from pomona.find.forecasting.members.boosting.forest import Forest, _walk, forest_of
from pomona.find.forecasting.members.recursion import _deviation
from pomona.find.forecasting.members.table import MEMBERS, chosen_members
from pomona.find.forecasting.problem import Panel, Params, histories, select, tail, truth
from pomona.find.forecasting.settings import ForecastSettings
from pomona.foundation.run import temporary_run

SEASON = 4
ORACLES = Path(__file__).parents[2] / "oracles"


def panel_of(*series: np.ndarray, horizon: int = 6, **more) -> Panel:
    lengths = [len(one) for one in series]
    return Panel(
        keys=pa.table({"unique_id": [f"s{i}" for i in range(len(series))]}),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        start=np.zeros(len(series), np.int64),
        values=np.concatenate(series).astype(np.float32),
        freq=Frequency("quarter", 1, (SEASON,)),
        origin=np.datetime64("2000-01-01", "s"),
        horizon=horizon,
        **more,
    )


def wavy(number: int, length: int = 60, seed: int = 0) -> list[np.ndarray]:
    generator, time = np.random.default_rng(seed), np.arange(length)
    waves = [20 + i + 5 * np.sin(2 * np.pi * time / SEASON + i) + 0.2 * i * time for i in range(number)]
    return [wave + generator.normal(size=length) for wave in waves]


def state_of(one: dict) -> dict[str, np.ndarray]:
    return {name: np.array([value]) for name, value in one.items()}


def fitted(module, panel, cut):
    with temporary_run(threads=1) as run:
        return module.fit(panel, cut, ForecastSettings(), run=run)


@pytest.mark.parametrize("form", ["AAA", "MAM", "MNM", "ANN", "AAN", "ANA"])
def test_exponential_smoothing_says_what_statsforecast_says(form):
    from statsforecast.models import AutoETS

    (values,) = wavy(1)
    model = AutoETS(season_length=SEASON, model=form, damped=False).fit(values)
    state = state_of(ets._state(model.model_, SEASON, ets._plain(values, SEASON)))
    said = ets.Smoothing(SEASON).ahead(state, 10)[0]
    assert np.allclose(said, model.predict(10)["mean"], rtol=1e-10)


def test_its_deviations_are_those_of_statsforecast_for_added_errors():
    from statsforecast.models import AutoETS

    (values,) = wavy(1)
    model = AutoETS(season_length=SEASON, model="AAA").fit(values)
    state = state_of(ets._state(model.model_, SEASON, ets._plain(values, SEASON)))
    recursion = ets.Smoothing(SEASON)
    said = _deviation(recursion, state, recursion.ahead(state, 10))[0]
    theirs = model.predict(10, level=[80])
    assert np.allclose(said * 1.2815515655446004, theirs["hi-80"] - theirs["mean"], rtol=1e-3)


def test_a_damped_trend_is_what_its_own_recursion_gives():
    """statsforecast adds φ twice where φ + φ² is meant; here one step after the other is taken."""
    state = state_of({**ets._plain(np.ones(5), SEASON), "level": 10.0, "trend": 2.0, "beta": 0.1, "phi": 0.8})
    recursion, means = ets.Smoothing(SEASON), []
    said = recursion.ahead(state, 5)[0]
    for _ in range(5):
        means.append(recursion.ahead(state, 1)[0, 0])
        state = recursion.advance(state, np.array(means[-1:]))
    assert np.allclose(said, means)
    assert np.allclose(said, 10 + 2 * np.cumsum(0.8 ** np.arange(1, 6)))


def test_a_value_moves_the_state_as_a_longer_history_does():
    from statsforecast.ets import ets_f

    (values,) = wavy(1)
    short = ets_f(values[:50], SEASON, model="AAA")
    state = state_of(ets._state(short, SEASON, ets._plain(values, SEASON)))
    recursion = ets.Smoothing(SEASON)
    for value in values[50:]:
        state = recursion.advance(state, np.array([value]))
    whole = ets_f(values, SEASON, model=short)
    theirs = ets._state(whole, SEASON, ets._plain(values, SEASON))
    ahead = recursion.ahead(state_of(theirs), 8)
    assert np.allclose(recursion.ahead(state, 8), ahead, rtol=1e-10)


def test_forms_are_chosen_once_in_a_run():
    (values,) = wavy(1)
    free = ets.fit_one(values, None, SEASON)
    again = ets.fit_one(values, free["form"], SEASON)
    assert free.keys() == again.keys()
    assert all(np.allclose(free[name], again[name]) for name in free if name != "form")


@pytest.mark.parametrize("form", ["STM", "OTM", "DSTM", "DOTM"])
def test_theta_says_what_statsforecast_says(form):
    from statsforecast.theta import auto_theta, forecast_theta

    (values,) = wavy(1)
    model = auto_theta(values, SEASON, model=form)
    state = state_of(theta._state(model, SEASON, theta._plain(values, SEASON)))
    said = theta.Theta(SEASON).ahead(state, 10)[0]
    assert np.allclose(said, forecast_theta(model, 10)["mean"], rtol=1e-10)


def test_the_season_comes_again_and_gaps_are_filled_from_the_one_before():
    series = np.tile([1.0, 2, 3, 4], 5)
    series[-2] = np.nan
    panel = panel_of(series, horizon=6)
    said = naive.predict(Params({}), panel, panel.ends)
    assert said.mean[0].tolist() == [1, 2, 3, 4, 1, 2]


def test_of_several_seasons_the_one_that_comes_again_is_taken():
    week = np.random.default_rng(0).random(28)
    panel = panel_of(np.tile(week, 6), horizon=20)
    panel = replace(panel, freq=replace(panel.freq, seasons=(4, 28)))
    said = likest.predict(fitted(likest, panel, panel.ends), panel, panel.ends)
    assert np.allclose(said.mean[0], week[:20], atol=1e-6)


COMPILED = "ces"
"""What statsforecast fits it with is compiled for half a minute when that was never done on a machine."""
MODULES = [
    pytest.param(member.load(), marks=[pytest.mark.slow] if name == COMPILED else [])
    for name, member in MEMBERS.items()
    if name != "networks"
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_future_changes_nothing_before_it(module):
    series = wavy(12)
    panel = panel_of(*series)
    cut = panel.ends - 12
    other = panel_of(*[np.concatenate([one[:-12], one[-12:] * -1e3 + 7]) for one in series])
    params, again = fitted(module, panel, cut), fitted(module, other, cut)
    for name, array in params.arrays.items():
        assert np.array_equal(array, again.arrays[name]), name
    one, two = module.predict(params, panel, cut), module.predict(params, other, cut)
    assert np.array_equal(one.mean, two.mean)
    assert np.array_equal(one.quantiles, two.quantiles)
    assert (np.diff(one.quantiles, axis=-1) >= 0).all()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_odd_series_get_finite_forecasts(module):
    series = [
        *wavy(8),
        np.zeros(40),
        np.full(40, 7.0),
        np.array([3.0]),
        np.array([1.0, np.nan, 2.0]),
        np.concatenate([np.full(20, 1e-3), np.full(20, 1e3)]),
        np.full(10, np.nan),
        np.zeros(0),
    ]
    panel = panel_of(*series)
    said = module.predict(fitted(module, panel, panel.ends), panel, panel.ends)
    assert np.isfinite(said.mean).all()
    assert np.isfinite(said.quantiles).all()
    zeros, sevens = said.mean[8], said.mean[9]
    assert np.abs(zeros).max() < 0.5
    assert np.abs(sevens - 7).max() < 0.5


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("AutoTheta", theta),
        ("AutoETS", ets),
        pytest.param("AutoCES", ces, marks=pytest.mark.slow),
    ],
)
def test_a_panel_of_series_is_forecast_as_statsforecast_does(name, module):
    from statsforecast import models

    series = wavy(3, length=48)
    panel = panel_of(*series)
    said = module.predict(fitted(module, panel, panel.ends), panel, panel.ends).mean
    for place, values in enumerate(panel.values.reshape(3, -1).astype(np.float64)):
        theirs = getattr(models, name)(season_length=SEASON).fit(values).predict(6)["mean"]
        assert np.allclose(said[place], theirs, rtol=1e-4)


def test_croston_says_what_statsforecast_says():
    from statsforecast.models import CrostonSBA

    generator = np.random.default_rng(0)
    series = [generator.poisson(rate, 80).astype(float) for rate in (0.1, 0.5, 2.0)]
    panel = panel_of(*series)
    params = fitted(croston, panel, panel.ends - 30)
    said = croston.predict(params, panel, panel.ends)
    for place, values in enumerate(series):
        theirs = CrostonSBA().fit(values).predict(1)["mean"][0]
        assert said.mean[place, 0] == pytest.approx(theirs)


@pytest.mark.parametrize("form", ces.KINDS)
def test_complex_smoothing_says_what_statsforecast_said(form):
    oracle = np.load(ORACLES / "forecast_ces.npz")
    model = {
        "seasontype": form,
        "n": 0,
        "states": oracle[f"{form}/states"],
        "par": dict(zip(ces.CONSTANTS, oracle[f"{form}/constants"], strict=True)),
        "sigma2": float(oracle[f"{form}/sigma2"]),
    }
    one = ces._state(model, SEASON, ces._plain(oracle["values"], SEASON))
    assert one.pop("form") == form
    said = ces.ComplexSmoothing(SEASON).ahead(state_of(one), 10)[0]
    # statsforecast keeps states in single precision
    assert np.allclose(said, oracle[f"{form}/said"], rtol=1e-6)


@pytest.mark.parametrize(("name", "module"), [("IMAPA", imapa), ("ADIDA", adida)])
def test_sums_of_steps_say_what_statsforecast_says(name, module):
    from statsforecast import models

    generator = np.random.default_rng(0)
    series = [generator.poisson(rate, 150).astype(float) for rate in (0.1, 0.3, 0.6, 2.0)]
    panel = panel_of(*series)
    said = module.predict(fitted(module, panel, panel.ends), panel, panel.ends).mean[:, 0]
    theirs = [getattr(models, name)().fit(values).predict(1)["mean"][0] for values in series]
    # the constants of smoothing are those of a grid, theirs are found between its points
    assert np.allclose(said, theirs, rtol=3e-3)


def test_whole_sums_since_the_fit_are_smoothed_on():
    series = np.tile([0.0, 0.0, 6.0], 20)
    panel = panel_of(np.concatenate([series, np.full(9, 4.0)]))
    params = fitted(adida, panel, panel.ends - 9)
    level, (alpha,) = 6.0, params.arrays["alpha"][:, 2]
    assert params.arrays["widest"].tolist() == [3]
    for _ in range(3):
        level += alpha * (12.0 - level)
    assert adida.predict(params, panel, panel.ends).mean[0, 0] == pytest.approx(level / 3)


@pytest.mark.parametrize("back", [0, 10])
def test_demand_and_its_probability_are_those_of_statsforecast(back):
    from statsforecast.models import TSB

    generator = np.random.default_rng(1)
    series = [generator.poisson(rate, 90).astype(float) for rate in (0.2, 0.5, 2.0)]
    panel = panel_of(*series)
    params = fitted(tsb, panel, panel.ends - back)
    said = tsb.predict(params, panel, panel.ends).mean[:, 0]
    constants = zip(params.arrays["alpha_size"], params.arrays["alpha_chance"], strict=True)
    for values, own, (size, chance) in zip(series, said, constants, strict=True):
        assert own == pytest.approx(TSB(float(size), float(chance)).fit(values).predict(1)["mean"][0])


@pytest.mark.parametrize("module", [ets, theta], ids=["ets", "theta"])
def test_series_that_were_not_fitted_are_forecast_too(module):
    panel = panel_of(*wavy(4))
    params = fitted(module, panel, panel.ends)
    later = panel_of(*wavy(2, length=70), position=np.array([-1, 2]))
    said = module.predict(params, later, later.ends)
    assert np.isfinite(said.mean).all()
    assert np.abs(said.mean[0] - 20).max() < 12


def test_a_forest_of_arrays_says_what_scikit_learn_says():
    from sklearn.ensemble import HistGradientBoostingRegressor

    generator = np.random.default_rng(0)
    rows = generator.normal(size=(600, 5)).astype(np.float32)
    rows[generator.random(rows.shape) < 0.1] = np.nan
    target = np.nan_to_num(rows[:, 0]) * 2 + np.nan_to_num(rows[:, 1]) ** 2
    model = HistGradientBoostingRegressor(max_iter=30, max_leaf_nodes=8).fit(rows, target)
    forest = forest_of(model, 30)
    assert np.allclose(forest.predict(rows), model.predict(rows), rtol=1e-10)
    again = Forest.from_arrays(forest.arrays())
    nodes = (again.feature, again.threshold, again.missing_left, again.left, again.right, again.value)
    plain = _walk(rows[:50], again.roots, *nodes, again.base)
    assert np.allclose(plain, model.predict(rows[:50]), rtol=1e-10)
    staged = list(model.staged_predict(rows))
    assert np.allclose(forest.first(10).predict(rows), staged[9], rtol=1e-10)


def test_features_of_one_row_are_those_of_many():
    panel = panel_of(*wavy(5))
    grid = grid_of(panel, tail(panel, 60))
    rows = Rows(np.array([0, 3, 4]), np.array([40, 50, 60]), np.array([0, 5, 2]))
    level, scale = level_and_scale(grid, rows)
    together = features(grid, rows, level, scale)
    for place in range(3):
        one = select(panel, np.array([int(rows.series[place])]))
        own = Rows(np.array([0]), rows.cut[place : place + 1], rows.ahead[place : place + 1])
        alone = grid_of(one, tail(one, 60))
        sizes = level_and_scale(alone, own)
        assert np.allclose(features(alone, own, *sizes)[0], together[place], rtol=1e-4, equal_nan=True)


def test_a_cut_hides_what_comes_after():
    panel = panel_of(np.arange(10.0), np.arange(5.0), known={"x": np.arange(27, dtype=np.float32)})
    before = histories(panel, np.array([4, 9]))
    assert before.values.tolist()[:4] == [0, 1, 2, 3]
    assert np.isnan(before.values[-4:]).all()
    assert before.known["x"][:10].tolist() == list(range(10))
    assert truth(panel, np.array([8, 3])).tolist()[0][:2] == [8, 9]
    assert np.isnan(truth(panel, np.array([8, 3]))[1, 2:]).all()


def test_several_seasons_go_on_where_there_is_no_noise():
    steps = np.arange(28 * 7)
    day, week = np.array([0.0, 3, 5, 1]), np.arange(28) % 7 * 2.0
    panel = panel_of(50 + day[steps % 4] + week[steps % 28], horizon=40)
    panel = replace(panel, freq=replace(panel.freq, seasons=(4, 28)))
    params = fitted(seasons, panel, panel.ends - 40)
    said = seasons.predict(params, panel, panel.ends).mean[0]
    ahead = len(steps) + np.arange(40)
    assert np.allclose(said, 50 + day[ahead % 4] + week[ahead % 28], atol=0.05)


def test_several_seasons_say_the_same_after_values_whenever_they_are_seen():
    panel = panel_of(*wavy(3), horizon=5)
    params = fitted(seasons, panel, panel.ends - 7)
    at_once = seasons.predict(params, panel, panel.ends)
    recursion = seasons.ManySeasons((SEASON,))
    state = {name: array for name, array in params.arrays.items() if name != "cut"}
    for values in tail(panel, 7).T:
        state = recursion.advance(state, values.astype(float))
    assert np.allclose(recursion.ahead(state, 5), at_once.mean)


@pytest.mark.parametrize(
    ("season", "chosen"),
    [((12,), set()), ((52,), {"several-seasons"}), ((24, 168), {"several-seasons", "likest-season"})],
)
def test_long_and_several_seasons_have_members_of_their_own(season, chosen):
    panel = panel_of(*wavy(2))
    panel = replace(panel, freq=replace(panel.freq, seasons=season))
    names, _ = chosen_members("auto", panel)
    assert set(names) & {"several-seasons", "likest-season"} == chosen
    assert not set(names) & {"croston", "tsb", "adida", "imapa", "seasonal-mean"}
