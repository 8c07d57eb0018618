import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars
import pytest
from pyarrow import parquet

import pomona
from pomona.cli.main import exit_code
from pomona.find.forecasting.command import forecast
from pomona.foundation.errors import DataError, InputError, Interrupted, SettingError

QUICK = "seasonal-naive,theta"


def frame(num_series: int = 6, num_steps: int = 60, seed: int = 0) -> pd.DataFrame:
    time, parts = np.arange(num_steps), []
    for number in range(num_series):
        noise = np.random.default_rng([seed, number]).normal(size=num_steps)
        y = 50 + 5 * number + 10 * np.sin(2 * np.pi * time / 12) + noise
        times = pd.date_range("2015-01-01", periods=num_steps, freq="MS")
        parts.append(pd.DataFrame({"unique_id": f"s{number}", "ds": times, "y": y.round(3)}))
    return pd.concat(parts, ignore_index=True)


def quick(data, folder, **more):
    return forecast(data, out=folder, quiet=True, **{"members": QUICK, **more})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecast")
    frame().to_csv(folder / "table.csv", index=False)
    return folder, quick(str(folder / "table.csv"), folder / "run")


def test_the_result_is_what_the_command_line_promises(made):
    _, result = made
    assert {"series", "horizon", "freq", "validation", "baselines", "chosen", "seconds"} <= set(result)
    assert set(result["validation"]) == {"mase", "rmsse", "smape", "wql", "coverage_80"}
    assert (result["series"], result["horizon"], result["freq"]) == (6, 12, "monthly")
    assert sum(result["chosen"].values()) == pytest.approx(1)
    assert set(result["baselines"]) == {"seasonal-naive", "theta"}


def test_the_table_has_times_means_and_ordered_quantiles(made):
    _, result = made
    table = parquet.read_table(result["forecast"]).to_pandas()
    assert list(table.columns[:3]) == ["unique_id", "ds", "mean"]
    assert str(table["ds"].iloc[0]) == "2020-01-01"
    quantiles = table[[f"q{level}" for level in range(10, 100, 10)]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert len(table) == 6 * 12


def test_a_new_process_says_the_same(made):
    folder, result = made
    code = (
        "import sys; from pomona.cli.main import exit_code; "
        "sys.exit(exit_code(['predict', sys.argv[1], sys.argv[2], '--out', sys.argv[3]]))"
    )
    out = folder / "again.parquet"
    subprocess.run([sys.executable, "-c", code, result["artifact"], folder / "table.csv", out], check=True)
    again, first = parquet.read_table(out).to_pandas(), parquet.read_table(result["forecast"]).to_pandas()
    pd.testing.assert_frame_equal(again, first)


def test_predictions_are_printed_and_written_in_every_form(made, capfd, tmp_path):
    folder, result = made
    arguments = ["predict", result["artifact"], str(folder / "table.csv")]
    assert exit_code([*arguments, "--json"]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert printed["count"] == 72
    assert printed["predictions"][0]["name"] == "s0 2020-01-01"
    first = parquet.read_table(result["forecast"]).to_pandas()
    for name in ("out.csv", "out.jsonl"):
        assert exit_code([*arguments, "--out", str(tmp_path / name)]) == 0
        read = pd.read_csv if name == "out.csv" else pd.read_json
        found = read(tmp_path / name, **({} if name == "out.csv" else {"lines": True}))
        assert np.allclose(found["mean"], first["mean"])


def test_new_rows_alone_go_on_from_what_is_remembered(made):
    _, result = made
    model = pomona.load(result["artifact"])
    more = frame(num_steps=63)
    whole = model.predict(more)
    only = model.predict(more[more["ds"] >= "2020-01-01"])
    assert str(whole["ds"].iloc[0])[:10] == "2020-04-01"
    pd.testing.assert_frame_equal(whole, only, rtol=1e-5)


def test_rows_without_values_alone_are_forecast(made):
    _, result = made
    times = pd.date_range("2020-01-01", periods=12, freq="MS")
    asked = pd.DataFrame({"unique_id": "s2", "ds": times, "y": np.nan})
    said = pomona.load(result["artifact"]).predict(asked)
    first = parquet.read_table(result["forecast"]).to_pandas()
    own = first[first["unique_id"] == "s2"]["mean"].to_numpy()
    assert np.allclose(said["mean"], own)


def test_the_report_shows_fans_and_a_leaderboard(made):
    _, result = made
    page = Path(result["report"]).read_text(encoding="utf-8")
    for words in ("Leaderboard", "Best, median and worst", "steps ahead", "80 % interval", "seasonal-naive"):
        assert words in page


def test_the_same_command_prints_its_result_again(made, capfd):
    folder, result = made
    arguments = [
        "forecast",
        str(folder / "table.csv"),
        "--members",
        QUICK,
        "--out",
        str(folder / "run"),
        "--json",
    ]
    assert exit_code(arguments) == 0
    printed = json.loads(capfd.readouterr().out)
    assert printed["validation"] == result["validation"]
    assert exit_code([*arguments, "--horizon", "3"]) == 2
    assert "belongs to another run" in capfd.readouterr().err


def test_a_stopped_run_goes_on(tmp_path, monkeypatch):
    from pomona.find.forecasting.members import theta

    data, whole = frame(3), quick(frame(3), tmp_path / "whole")
    fit = theta.fit

    def stop(panel, cut, settings, *, run):
        run.clock.interrupted = True
        return fit(panel, cut, settings, run=run)

    monkeypatch.setattr(theta, "fit", stop)
    with pytest.raises(Interrupted):
        quick(data, tmp_path / "stopped")
    monkeypatch.setattr(theta, "fit", fit)
    pd.testing.assert_frame_equal(quick(data, tmp_path / "stopped"), whole)


def test_frames_come_back_as_they_went_in(tmp_path):
    data = frame(3).rename(columns={"unique_id": "shop", "ds": "day", "y": "sold"})
    names = {"time": "day", "value": "sold", "series": "shop"}
    one = quick(data, tmp_path / "pandas", horizon=3, **names)
    other = quick(polars.from_pandas(data), tmp_path / "polars", horizon=3, **names)
    assert isinstance(one, pd.DataFrame)
    assert isinstance(other, polars.DataFrame)
    assert np.allclose(one["mean"], other["mean"].to_numpy())
    assert list(one.columns[:3]) == ["shop", "day", "mean"]


def test_sums_of_a_hierarchy_add_up(tmp_path):
    data = frame(5)
    data["state"] = data["unique_id"].map(lambda name: "x" if name in ("s0", "s1", "s2") else "z")
    keys = {"series": ("state", "unique_id"), "hierarchy": "state/unique_id", "members": "seasonal-naive"}
    table = quick(data, tmp_path / "run", **keys)
    single = table[table["unique_id"] != "(all)"]
    for state, own in table[table["unique_id"] == "(all)"].groupby("state"):
        parts = single if state == "(all)" else single[single["state"] == state]
        sums = parts.groupby("ds")["mean"].sum().to_numpy()
        assert np.abs(own.sort_values("ds")["mean"].to_numpy() - sums).max() < 1e-6
    again = pomona.load(tmp_path / "run" / "artifact").predict(data)
    assert np.allclose(again["mean"], table["mean"])


def test_a_newcomer_is_forecast_like_those_of_its_kind(tmp_path):
    data = frame(4)
    data["kind"] = data["unique_id"].map(lambda name: "low" if name in ("s0", "s1") else "high")
    data.loc[data["kind"] == "high", "y"] *= 10
    future = pd.date_range("2020-01-01", periods=6, freq="MS")
    ahead = [pd.DataFrame({"unique_id": f"s{i}", "ds": future, "y": np.nan}) for i in range(4)]
    new = pd.DataFrame({"unique_id": "new", "ds": future, "y": np.nan})
    kinds = data.drop_duplicates("unique_id").set_index("unique_id")["kind"].to_dict() | {"new": "high"}
    whole = pd.concat([data, *ahead, new])
    whole["kind"] = whole["unique_id"].map(kinds)
    table = quick(whole, tmp_path / "run", static="kind")
    mean = table.groupby("unique_id")["mean"].mean()
    assert mean["new"] == pytest.approx((mean["s2"] + mean["s3"]) / 2)


def test_series_of_zeros_are_forecast_zero_with_probability(tmp_path):
    data = frame(4)
    data.loc[data["unique_id"] == "s0", "y"] = 0.0
    table = quick(data, tmp_path / "run")
    zeros = table[table["unique_id"] == "s0"]
    assert np.allclose(zeros["mean"], 0)
    assert np.allclose(zeros["nonzero"], 0)
    assert (table[table["unique_id"] == "s1"]["nonzero"] == 1).all()


def test_a_change_of_scale_by_a_million_is_survived(tmp_path):
    data = frame(4)
    data.loc[(data["unique_id"] == "s1") & (data["ds"] >= "2017-01-01"), "y"] *= 1e6
    table = quick(data, tmp_path / "run")
    assert np.isfinite(table.drop(columns=["unique_id", "ds"]).to_numpy()).all()
    means = table.groupby("unique_id")["mean"].mean()
    assert 1e7 < means["s1"] < 1e9
    assert means["s0"] == pytest.approx(50, rel=0.1)


@pytest.mark.parametrize("freq", ["30min", "h", "D", "W", "QE", "YS"])
def test_every_frequency_is_forecast(freq, tmp_path):
    times = pd.date_range("2010-01-31", periods=120, freq=freq)
    y = np.sin(np.arange(120)) + 3
    table = quick(pd.DataFrame({"ds": times[:-3], "y": y[:-3]}), tmp_path / "run", horizon=3)
    assert list(pd.to_datetime(table["ds"])) == list(times[-3:])
    assert np.isfinite(table["mean"]).all()


@pytest.mark.parametrize("num_steps", [2, 5, 13])
def test_series_shorter_than_the_horizon_are_forecast(num_steps, tmp_path):
    table = quick(frame(3, num_steps), tmp_path / "run", horizon=12)
    assert len(table) == 36
    assert np.isfinite(table["mean"]).all()


def test_an_unknown_set_gets_its_neighbour_named(capfd, tmp_path):
    assert exit_code(["forecast", "tourisn", "--out", str(tmp_path / "run")]) == 2
    assert "did you mean 'tourism'" in capfd.readouterr().err


def test_what_is_wrong_is_said_in_one_line(tmp_path):
    data = frame(3).assign(price=1.0)
    cases = (
        ({"known_future": "price"}, DataError, "'price' is to be known ahead"),
        ({"members": "oracle"}, SettingError, "no member 'oracle'"),
        ({"horizon": 0}, SettingError, "horizon must be at least 1"),
        ({"hierarchy": "state/unique_id"}, SettingError, "no series column for the hierarchy 'state'"),
        ({"resample": "often"}, SettingError, "resample"),
        ({"duplicates": "keep"}, SettingError, "duplicates"),
    )
    for number, (given, error, message) in enumerate(cases):
        with pytest.raises(error, match=message) as caught:
            quick(data, tmp_path / str(number), **given)
        assert isinstance(caught.value, InputError)
        assert "\n" not in str(caught.value)
