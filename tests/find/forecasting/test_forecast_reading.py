import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

from pomona.find.forecasting.reading.clock import named_frequency
from pomona.find.forecasting.reading.panel import read_like, read_panel
from pomona.find.forecasting.settings import ColumnOptions, ForecastSettings
from pomona.foundation.errors import DataError, InputError, SettingError


def frame(times, *, names=("a", "b"), values=None) -> pd.DataFrame:
    parts = []
    for number, name in enumerate(names):
        y = np.arange(len(times), dtype=float) + 100 * number if values is None else values
        parts.append(pd.DataFrame({"unique_id": name, "ds": times, "y": y}))
    return pd.concat(parts, ignore_index=True)


def read(data, *, settings=None, **columns):
    return read_panel(data, ColumnOptions(**columns), ForecastSettings(**(settings or {})))


@pytest.mark.parametrize(
    ("freq", "name", "seasons"),
    [
        ("D", "daily", (7,)),
        ("h", "hourly", (24, 168)),
        ("30min", "30 minutes", (48, 336)),
        ("W-SUN", "weekly", (52,)),
        ("W-WED", "weekly", (52,)),
        ("MS", "monthly", (12,)),
        ("ME", "monthly", (12,)),
        ("BME", "monthly", (12,)),
        ("QS", "quarterly", (4,)),
        ("QE", "quarterly", (4,)),
        ("YS", "yearly", ()),
    ],
)
def test_the_frequency_is_found_and_times_go_on(freq, name, seasons):
    times = pd.date_range("2019-01-06", periods=40, freq=freq)
    panel, layout = (found := read(frame(times[:-2]))).panel, found.layout
    assert (panel.freq.name, panel.freq.seasons) == (name, seasons)
    shown = layout.shown(panel.ends[0] + np.arange(2)).to_numpy(zero_copy_only=False)
    if freq != "BME":
        assert list(shown.astype("datetime64[s]")) == list(times[-2:].to_numpy().astype("datetime64[s]"))


@pytest.mark.parametrize(
    "texts",
    [
        ["2020 Q1", "2020 Q2", "2020 Q3", "2020 Q4"],
        ["2020Q1", "2020Q2", "2020Q3", "2020Q4"],
        ["2020 Jan", "2020 Apr", "2020 Jul", "2020 Oct"],
        ["Jan 2020", "Apr 2020", "Jul 2020", "Oct 2020"],
        ["January-2020", "April-2020", "July-2020", "October-2020"],
        ["2020-01", "2020-04", "2020-07", "2020-10"],
        ["2020-01-01", "2020-04-01", "2020-07-01", "2020-10-01"],
        ["20200101", "20200401", "20200701", "20201001"],
        ["31/03/2020", "30/06/2020", "30/09/2020", "31/12/2020"],
    ],
)
def test_times_are_read_as_people_write_them(texts, tmp_path):
    path = tmp_path / "some.csv"
    path.write_text("ds,y\n" + "".join(f"{text},{i}\n" for i, text in enumerate(texts)))
    panel = read(path).panel
    assert panel.freq.name == "quarterly"
    assert panel.values.tolist() == [0, 1, 2, 3]
    assert panel.origin.astype("datetime64[Y]") == np.datetime64("2020")


@pytest.mark.parametrize("across", ["series", "times"])
def test_a_further_table_may_be_wide_as_the_first_was(across, tmp_path):
    months = pd.date_range("2020-01-01", periods=30, freq="MS")
    data = frame(months)
    rows, columns = ("ds", "unique_id") if across == "series" else ("unique_id", "ds")
    wide = data.assign(ds=data["ds"].dt.strftime("%Y-%m")).pivot(index=rows, columns=columns, values="y")
    wide.reset_index().to_csv(tmp_path / "first.csv", index=False)
    part = wide.iloc[20:] if across == "series" else wide.iloc[:, 20:]
    part.reset_index().to_csv(tmp_path / "further.csv", index=False)
    first = read(tmp_path / "first.csv")
    further = read_like(tmp_path / "further.csv", first.layout, 31).panel
    assert further.keys.equals(first.panel.keys)
    assert (further.lengths == 10).all()
    assert further.ends.tolist() == first.panel.ends.tolist()
    last = first.panel.values.reshape(first.panel.num_series, 30)[:, 20:]
    np.testing.assert_array_equal(further.values.reshape(last.shape), last)
    if across == "series":
        wide.reset_index().rename(columns={"ds": "day"}).to_csv(tmp_path / "other.csv", index=False)
        with pytest.raises(DataError, match=r"lacks the column '(ds|y|unique_id)', which the model was made"):
            read_like(tmp_path / "other.csv", first.layout, 31)


def test_hours_of_the_two_halves_of_a_day(tmp_path):
    path = tmp_path / "some.csv"
    hours = [f"{hour or 12}:00 {half}" for half in ("AM", "PM") for hour in range(12)]
    rows = [f"12/31/2020 {text},{i}" for i, text in enumerate(hours)]
    path.write_text("\n".join(["ds,y", *rows, "1/1/2021 12:00 AM,24", "1/1/2021 1:00 AM,25"]))
    panel = read(path).panel
    assert panel.freq.name == "hourly"
    assert panel.values.tolist() == list(range(26))
    assert panel.origin.astype("datetime64[h]") == np.datetime64("2020-12-31T00")


def test_years_written_as_decimals_are_years(tmp_path):
    path = tmp_path / "some.csv"
    frame(np.arange(1990.0, 2010.0)).to_csv(path, index=False)
    for data in (path, frame(np.arange(1990.0, 2010.0))):
        assert read(data).panel.freq.name == "yearly"
    with pytest.raises(DataError, match=r"the time column 'ds' has 1990\.5: give dates"):
        read(frame(np.arange(1990.5, 2010.5)))


def test_whole_numbers_are_years_or_steps():
    years = read(frame(np.arange(1990, 2010)))
    assert years.panel.freq.name == "yearly"
    assert years.layout.shown(years.panel.ends[:1]).to_pylist() == [2010]
    steps = read(frame(np.arange(5, 45, 5)))
    assert (steps.panel.freq.unit, steps.panel.freq.multiple) == ("step", 5)
    assert steps.layout.shown(steps.panel.ends[:1]).to_pylist() == [45]


def test_order_of_rows_kind_of_table_and_form_do_not_matter(tmp_path):
    times = pd.date_range("2020-01-01", periods=30, freq="D")
    data = frame(times)
    mixed = data.sample(frac=1, random_state=0)
    data.to_csv(tmp_path / "long.csv", index=False)
    mixed.to_csv(tmp_path / "semicolons.csv", index=False, sep=";")
    data.to_parquet(tmp_path / "long.parquet")
    wide = data.pivot(index="ds", columns="unique_id", values="y").reset_index()
    wide.to_csv(tmp_path / "wide.csv", index=False)
    across = data.assign(ds=data["ds"].dt.strftime("%Y-%m-%d")).pivot(
        index="unique_id", columns="ds", values="y"
    )
    across.reset_index().to_csv(tmp_path / "across.csv", index=False)
    tables = [mixed, data.set_index("ds"), polars.from_pandas(data), polars.from_pandas(data).lazy()]
    tables += [pa.Table.from_pandas(data), *sorted(tmp_path.glob("*.*"))]
    for table in tables:
        panel = read(table).panel
        order = np.argsort(panel.keys.column(0).to_pylist())
        values = [panel.values[panel.offsets[s] : panel.offsets[s + 1]].tolist() for s in order]
        assert values == [list(range(30)), list(range(100, 130))], table
        assert panel.freq.name == "daily"


def test_numbered_columns_are_steps(tmp_path):
    path = tmp_path / "numbered.csv"
    path.write_text("id,store," + ",".join(f"d_{i}" for i in range(1, 21)) + "\n")
    with path.open("a") as file:
        file.write("x,one," + ",".join(map(str, range(20))) + "\ny,two," + ",".join(["1"] * 20) + "\n")
    panel = read(path).panel
    assert panel.freq.unit == "step"
    assert panel.values[:20].tolist() == list(range(20))
    assert panel.keys.column_names == ["id", "store"]


def test_gaps_are_missing_values():
    data = frame(pd.date_range("2020-01-01", periods=30, freq="D")).drop(index=[3, 4, 40])
    data.loc[10, "y"] = np.nan
    found = read(data)
    assert np.flatnonzero(np.isnan(found.panel.values)).tolist() == [3, 4, 10, 40]
    assert any("4 steps have no value" in note for note in found.notes)


def test_rows_without_value_at_the_end_are_what_is_forecast():
    times = pd.date_range("2020-01-01", periods=30, freq="D")
    data = frame(times).assign(price=lambda f: f["y"] + 0.5)
    data.loc[data["ds"] >= times[25], "y"] = np.nan
    panel = read(data, known_future=("price",)).panel
    assert panel.horizon == 5
    assert panel.lengths.tolist() == [25, 25]
    assert panel.known["price"][:30].tolist() == [i + 0.5 for i in range(30)]


def test_a_series_without_history_has_no_steps():
    times = pd.date_range("2020-01-01", periods=30, freq="D")
    data = frame(times, names=("a", "b", "new"))
    data.loc[(data["ds"] >= times[25]) | (data["unique_id"] == "new"), "y"] = np.nan
    found = read(data)
    assert found.panel.lengths.tolist() == [25, 25, 0]
    assert found.panel.ends.tolist() == [25, 25, 25]
    assert any("1 series have no history" in note for note in found.notes)


def test_days_of_a_zone_and_the_hour_that_comes_twice():
    hours = pd.date_range("2023-10-20", "2023-11-05", freq="h", tz="Europe/Vienna")
    aware = read(frame(hours))
    assert len(aware.panel.values) == 2 * len(hours)
    assert not np.isnan(aware.panel.values).any()
    naive = read(frame(hours.tz_localize(None)))
    assert any("daylight saving" in note for note in naive.notes)
    midnights = pd.date_range("2023-03-01", periods=60, freq="D", tz="Europe/Vienna").tz_convert("UTC")
    assert read(frame(midnights), timezone="Europe/Vienna").panel.freq.name == "daily"
    with pytest.raises(DataError, match="--timezone"):
        read(frame(midnights))


def test_irregular_times_are_resampled_only_when_told():
    times = pd.to_datetime("2020-01-01") + pd.to_timedelta(
        np.cumsum(np.arange(200) % 7 * 3607 + 60), unit="s"
    )
    with pytest.raises(DataError, match=r"irregular.*--freq"):
        read(frame(times))
    found = read(frame(times, values=np.ones(200)), settings={"freq": "day", "resample": "sum"})
    assert found.panel.freq.name == "daily"
    assert np.nansum(found.panel.values) == 400
    mean = read(frame(times, values=np.full(200, 3.0)), settings={"freq": "day", "resample": "mean"})
    assert np.nanmax(mean.panel.values) == np.nanmin(mean.panel.values) == 3


def test_constant_and_short_series_are_told_of():
    data = pd.concat(
        [
            frame(pd.date_range("2020-01-01", periods=60, freq="D"), names=("flat",), values=np.ones(60)),
            frame(pd.date_range("2020-02-20", periods=9, freq="D"), names=("short",)),
        ]
    )
    notes = " ".join(read(data).notes)
    assert "1 series never change" in notes
    assert "1 series have fewer steps than the horizon of 28" in notes


def test_a_table_in_pieces_reads_as_a_whole():
    times = pd.date_range("2020-01-01", periods=50, freq="D")
    whole = pa.Table.from_pandas(frame(times, names=tuple("abcdef")))
    pieces = pa.concat_tables([whole.slice(i, 7) for i in range(0, whole.num_rows, 7)])
    one, other = read(whole).panel, read(pieces).panel
    assert np.array_equal(one.values, other.values)
    assert one.keys.equals(other.keys)


DAYS = pd.date_range("2020-01-01", periods=30, freq="D")
BAD = {
    "twice": (lambda: pd.concat([frame(DAYS)] * 2), {}, "60 rows are there twice, the first of series a"),
    "no key": (lambda: frame(DAYS).drop(columns="unique_id"), {}, "--series"),
    "text": (lambda: frame(DAYS).assign(y="many"), {}, "value column 'y' has 'many'"),
    "no value": (lambda: frame(DAYS).assign(y=np.nan), {}, "nothing to go by"),
    "no rows": (lambda: frame(DAYS).iloc[:0], {}, "no rows"),
    "one time": (lambda: frame(DAYS[:1]), {}, "name it with --freq"),
    "no time": (
        lambda: frame(DAYS).rename(columns={"ds": "x"}),
        {},
        "name the column of the time with --time",
    ),
    "wrong name": (lambda: frame(DAYS), {"time": "when"}, "no column 'when'"),
    "two roles": (lambda: frame(DAYS), {"time": "ds", "value": "ds"}, "named for two purposes"),
    "lost time": (lambda: frame(DAYS.insert(3, pd.NaT)[:-1]), {}, "empty cells: remove these rows"),
    "static changes": (
        lambda: frame(DAYS),
        {"static": ("y",), "value": "y"},
        "cannot be static and something",
    ),
    "unknown zone": (lambda: frame(DAYS), {"timezone": "Mars/Base"}, "no time zone 'Mars/Base'"),
    "mixed": (
        lambda: pd.concat([frame(DAYS, names=("a",)), frame(DAYS[::7], names=("weekly",))]),
        {},
        "1 series have a value at every 7th step",
    ),
    "a list": (lambda: [1, 2, 3], {}, "forecasting reads a CSV"),
    "nowhere": (lambda: "nowhere.csv", {}, "no such file"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_refused_in_one_line(name):
    make, columns, message = BAD[name]
    with pytest.raises(InputError, match=message) as caught:
        read(make(), **columns)
    assert "\n" not in str(caught.value)


def test_a_static_column_must_not_change():
    data = frame(DAYS).assign(kind=lambda f: np.where(f["ds"] < DAYS[10], "x", "z"))
    with pytest.raises(DataError, match="static column 'kind' changes within the series a"):
        read(data, static=("kind",))


def test_day_and_month_that_cannot_be_told_apart_are_refused(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("ds,y\n01/02/2020,1\n02/02/2020,2\n03/02/2020,4\n")
    with pytest.raises(DataError, match="day and month cannot be told apart"):
        read(path)


@pytest.mark.parametrize("text", ["fortnightly", "0day", "-3h", ""])
def test_a_frequency_that_is_none_is_refused(text):
    with pytest.raises(SettingError, match="freq"):
        named_frequency(text)
