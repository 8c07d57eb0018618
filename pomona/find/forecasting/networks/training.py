"""Training one forecasting network on the windows of a panel, by the same course as any other network."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from pomona.find.forecasting.networks.objective import forecast_loss
from pomona.find.forecasting.networks.space import Sight
from pomona.find.forecasting.problem import QUANTILES, Panel
from pomona.find.forecasting.windows import Encoding, Windows, WindowShape, WindowSource, trainable
from pomona.fit.extension import Extension
from pomona.fit.loop import fit as fit_network
from pomona.fit.result import FitResult
from pomona.fit.settings import FitSettings
from pomona.fit.trials.space import Point
from pomona.foundation.files import to_json
from pomona.foundation.run import Run
from pomona.networks.forecast_blocks import FORECAST_BLOCKS
from pomona.networks.forecaster import ForecasterPlan, ForecastShape, forecaster_spec
from pomona.networks.spec import Spec
from pomona.nn.forecast_frame import ForecastFrame, FrameSettings
from pomona.nn.forecast_laws import EXTRA_NUMBERS
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.source import ArraySource
from pomona.tasks.task import Task

NUM_WATCHED = 256
"""Windows, the last of as many series, on which the end of a training is judged."""


@dataclass(frozen=True)
class Design:
    """A network and all that is done around it; together with weights it is a model."""

    spec: Spec
    frame: FrameSettings
    window: WindowShape
    encoding: Encoding


def design_of(point: Point, sight: Sight, encoding: Encoding, num_features: int) -> Design:
    """What a point of the space means for a panel with these covariates."""
    lags = sight.lags if point["lags"] else ()
    context = sight.context(point["context"])
    window = WindowShape(context, sight.horizon, lags, point["knows_series"])
    shape = ForecastShape(
        context=context,
        horizon=sight.horizon,
        past_features=num_features,
        future_features=1 + num_features + 2 * len(lags),
        static_tokens=encoding.num_tokens,
        static_columns=len(encoding.tokens),
        static_numbers=len(encoding.numbers) + 2 * point["tells_level"],
        season=sight.season,
        numbers=len(QUANTILES) + EXTRA_NUMBERS,
    )
    plan = ForecasterPlan(
        point["encoder"],
        point["decoder"],
        point["width"],
        point["depth"],
        point["dropout"],
        point["shortcut"],
        point["gated"],
    )
    frame = FrameSettings(
        sight.horizon,
        QUANTILES,
        point["scaling"],
        sight.season,
        point["logarithm"],
        point["law"],
        sight.is_nonnegative,
        point["tells_level"],
    )
    return Design(forecaster_spec(shape, plan), frame, window, encoding)


def train(
    design: Design,
    point: Point,
    panel: Panel,
    cut: np.ndarray,
    *,
    steps: int,
    run: Run,
    name: str,
    weights: Mapping[str, Tensor] | None = None,
) -> FitResult:
    """The network of `design` after `steps` steps on what lies before the cut.

    A stopped training goes on where it was, to the same weights. Raises Interrupted as `fit` does.
    """
    windows = Windows(panel, cut, design.window, design.encoding)
    law, weighting = point["law"], point["weighting"]

    def framed(network: nn.Module, seed: int) -> nn.Module:
        return ForecastFrame(network, design.frame)

    def objective(
        heads: Mapping[str, Tensor], batch: Mapping[str, Tensor], loss: object, done: float
    ) -> Tensor:
        return forecast_loss(heads, dict(batch), law=law, levels=design.frame.levels, weighting=weighting)

    settings = FitSettings(
        steps=steps,
        batch_size=point["batch_size"],
        learning_rate=point["learning_rate"],
        weight_decay=point["weight_decay"],
        augment="none",
        keep="last",
        evaluate_every=steps,
        schedule="cosine",
    )
    extension = Extension(framed, objective, key=to_json([point, design.frame]))
    task = _task(windows, design)
    return fit_network(
        task,
        design.spec,
        settings,
        run=run,
        name=name,
        weights=weights,
        blocks=FORECAST_BLOCKS,
        extension=extension,
    )


def _task(windows: Windows, design: Design) -> Task:
    """Windows as a task, of which the fit sees inputs and truth."""
    source = ArraySource(_watched(windows))
    # of what the wrapper reads beside the network's own inputs, a fit needs to know the name alone
    lags = Feature("lags", "series", (design.window.horizon, max(1, 2 * len(design.window.lags))))
    return Task(
        "windows",
        "forecast",
        {**design.spec.inputs, "lags": lags},
        {"y": Feature("y", "series", (design.window.horizon, 1), variable=True)},
        {"train": WindowSource(windows), "valid": source, "test": source},
        ("mae",),
        Preprocessing(),
        fingerprint=fingerprint(windows),
    )


def _watched(windows: Windows) -> Batch:
    """The last trainable window of some series."""
    first, count = trainable(windows)
    series = np.flatnonzero(count)
    series = series[np.linspace(0, len(series) - 1, min(len(series), NUM_WATCHED)).astype(int)]
    return windows.read(series, first[series] + count[series] - 1)


def fingerprint(windows: Windows) -> str:
    """Equal for windows of the same values before the same cut."""
    panel = windows.panel
    values = np.nan_to_num(np.asarray(panel.values[:: max(1, len(panel.values) // 100_000)]), nan=-1.25)
    digest = hashlib.blake2b(values.tobytes(), digest_size=16)
    digest.update(np.concatenate([panel.offsets, windows.limit]).tobytes())
    return digest.hexdigest()
