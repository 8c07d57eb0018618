"""Forecasts a Parquet table (unique_id, ds, y) by one model, in the environment of a peers/forecast*.txt.

    python forecast_peers.py TRAIN.parquet OUT.parquet MODEL HORIZON SEASON FREQ [SECONDS]

Networks train for SECONDS at most, AutoGluon takes as many. Writes unique_id, step (1 to HORIZON), mean and,
where the model says them, lo and hi of 80 % intervals, and prints its seconds. Intermittent models forecast a
flat line.
"""

import sys
import tempfile
import time

import numpy as np
import pandas as pd

STATISTICAL = (
    "SeasonalNaive",
    "AutoETS",
    "AutoTheta",
    "AutoCES",
    "CrostonSBA",
    "IMAPA",
    "ADIDA",
    "WindowAverage",
)


def main() -> None:
    """One model on one table."""
    train, out, model, horizon, season, freq = sys.argv[1:7]
    frame = pd.read_parquet(train)
    frame["y"] = frame.groupby("unique_id", observed=True)["y"].transform(lambda y: y.interpolate().bfill())
    frame = frame.dropna(subset=["y"])
    began = time.perf_counter()
    if model in STATISTICAL:
        found = statistical(frame, model, int(horizon), int(season), freq)
    elif model == "LightGBM":
        found = trees(frame, int(horizon), int(season), freq)
    elif model == "LightGBM with prices":
        found = trees_of_sales(frame, int(horizon))
    elif model == "AutoGluon":
        found = ensemble(frame, int(horizon), freq, float(sys.argv[7]))
    else:
        found = neural(frame, model, int(horizon), int(season), freq, float(sys.argv[7]))
    found["step"] = found.groupby("unique_id", observed=True).cumcount() + 1
    found.to_parquet(out)
    print(time.perf_counter() - began)


def statistical(frame: pd.DataFrame, name: str, horizon: int, season: int, freq: str) -> pd.DataFrame:
    """statsforecast, one process."""
    from statsforecast import StatsForecast, models

    make = getattr(models, name)
    if name in ("CrostonSBA", "IMAPA", "ADIDA"):
        model, level = make(), None
    elif name == "WindowAverage":
        model, level = make(window_size=4 * season), None
    else:
        model, level = make(season_length=season), [80]
    runner = StatsForecast([model], freq=freq, n_jobs=1, fallback_model=models.Naive())
    found = runner.forecast(df=frame[["unique_id", "ds", "y"]], h=horizon, level=level).reset_index()
    column = next(c for c in found.columns if c not in ("unique_id", "ds", "index") and "-" not in c)
    renamed = {column: "mean", f"{column}-lo-80": "lo", f"{column}-hi-80": "hi"}
    return found.rename(columns=renamed)[
        ["unique_id", *[c for c in renamed.values() if c in found.rename(columns=renamed)]]
    ]


def trees(frame: pd.DataFrame, horizon: int, season: int, freq: str) -> pd.DataFrame:
    """mlforecast with LightGBM on the lags, rolling means and calendar that its tutorials use."""
    import lightgbm
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean
    from mlforecast.target_transforms import LocalStandardScaler

    is_sales = bool((frame["y"] == 0).mean() > 1 / 3)
    lags = sorted(
        {
            1,
            2,
            3,
            season,
            2 * season,
            *([24 * 7] if season == 24 else []),
            *([48 * 7] if season == 48 else []),
        }
    )
    lags = [lag for lag in lags if lag > 0]
    short = int(frame.groupby("unique_id", observed=True).size().min())
    lags = [lag for lag in lags if lag < max(4, short - 2)]
    window = max(2, season)
    dates = {
        "h": ["hour", "dayofweek"],
        "30min": ["hour", "minute", "dayofweek"],
        "D": ["dayofweek", "month", "day"],
    }
    objective = {"objective": "tweedie", "tweedie_variance_power": 1.1} if is_sales else {"objective": "l1"}
    model = lightgbm.LGBMRegressor(
        n_estimators=400 if is_sales else 300,
        learning_rate=0.05,
        num_leaves=63 if is_sales else 31,
        verbosity=-1,
        n_jobs=1,
        random_state=0,
        **objective,
    )
    runner = MLForecast(
        models={"mean": model},
        freq=freq,
        lags=lags,
        lag_transforms={1: [RollingMean(window)], season: [RollingMean(window)]}
        if short > 3 * window
        else {},
        date_features=dates.get(freq, ["month"]),
        target_transforms=[] if is_sales else [LocalStandardScaler()],
    )
    runner.fit(frame[["unique_id", "ds", "y"]], static_features=[])
    return runner.predict(horizon)[["unique_id", "mean"]]


def trees_of_sales(frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """mlforecast with LightGBM on what entrants of M5 usually gave it: daily sales a week and four weeks ago,
    means around them, prices, events, categories; the columns known ahead are in TRAIN.parquet.future."""
    import lightgbm
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean

    means = [RollingMean(7), RollingMean(28)]
    model = lightgbm.LGBMRegressor(
        objective="poisson",
        n_estimators=600,
        learning_rate=0.075,
        num_leaves=128,
        subsample=0.75,
        subsample_freq=1,
        reg_lambda=0.1,
        min_child_samples=100,
        verbosity=-1,
        n_jobs=1,
        random_state=0,
    )
    runner = MLForecast(
        models={"mean": model},
        freq="D",
        lags=[7, 28],
        lag_transforms={7: means, 28: means},
        date_features=["dayofweek", "day", "week", "month", "year"],
    )
    static = [c for c in frame.columns if c.startswith("static ")]
    frame[static] = frame[static].astype("category")
    known = [c for c in frame.columns if c.startswith("known ")]
    runner.fit(frame[["unique_id", "ds", "y", *static, *known]], static_features=static)
    return runner.predict(horizon, X_df=pd.read_parquet(sys.argv[1] + ".future"))[["unique_id", "mean"]]


def neural(
    frame: pd.DataFrame, name: str, horizon: int, season: int, freq: str, seconds: float
) -> pd.DataFrame:
    """neuralforecast, on a processor, with its own settings and number of steps, until the time is over.

    Quantiles and the median, or the mean alone for sales: of those the median is often 0.
    """
    from neuralforecast import NeuralForecast, models
    from neuralforecast.losses.pytorch import MSE, MQLoss

    is_sales = bool((frame["y"] == 0).mean() > 1 / 3)
    model = getattr(models, name)(
        h=horizon,
        input_size=max(2 * horizon, 2 * season),
        loss=MSE() if is_sales else MQLoss(level=[80]),
        scaler_type="standard" if is_sales else "robust",
        start_padding_enabled=True,
        accelerator="cpu",
        enable_progress_bar=False,
        logger=False,
        enable_checkpointing=False,
        max_time={"seconds": seconds},
    )
    runner = NeuralForecast([model], freq=freq)
    runner.fit(frame[["unique_id", "ds", "y"]])
    found = runner.predict().reset_index()
    if is_sales:
        return found.rename(columns={name: "mean"})[["unique_id", "mean"]]
    renamed = {f"{name}-median": "mean", f"{name}-lo-80": "lo", f"{name}-hi-80": "hi"}
    return found.rename(columns=renamed)[["unique_id", *renamed.values()]]


def ensemble(frame: pd.DataFrame, horizon: int, freq: str, seconds: float) -> pd.DataFrame:
    """AutoGluon's best quality, but for models whose weights have to be fetched from a hub.

    What is scored by absolute errors is its median, sales are its mean.
    """
    from autogluon.timeseries import TimeSeriesDataFrame, TimeSeriesPredictor

    is_sales = bool((frame["y"] == 0).mean() > 1 / 3)
    data = TimeSeriesDataFrame.from_data_frame(
        frame[["unique_id", "ds", "y"]], id_column="unique_id", timestamp_column="ds"
    )
    with tempfile.TemporaryDirectory() as folder:
        predictor = TimeSeriesPredictor(
            prediction_length=horizon,
            target="y",
            freq=freq,
            quantile_levels=[0.1, 0.5, 0.9],
            eval_metric="RMSSE" if is_sales else "MASE",
            path=folder,
            verbosity=1,
        )
        predictor.fit(
            data,
            presets="best_quality",
            time_limit=seconds,
            excluded_model_types=["Chronos", "Chronos2", "Toto"],
        )
        print(predictor.leaderboard(), file=sys.stderr)
        found = predictor.predict(data).reset_index()
    found["mean"] = found["mean"] if is_sales else found["0.5"]
    found = found.rename(columns={"item_id": "unique_id", "0.1": "lo", "0.9": "hi"})
    return found[["unique_id", "mean", "lo", "hi"]]


if __name__ == "__main__":
    np.random.seed(0)  # noqa: NPY002
    main()
