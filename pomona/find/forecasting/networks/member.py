"""One forecasting network as a member of the leaderboard: fitted on a panel, kept as plain data."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from pomona.find.forecasting.networks.space import Sight, sight_of, starting_points
from pomona.find.forecasting.networks.training import Design, design_of, train
from pomona.find.forecasting.problem import Forecast, Panel, Params
from pomona.find.forecasting.windows import Encoding, Windows, WindowShape, encoding_of
from pomona.fit.threads import threads_alone
from pomona.fit.trials.space import Point
from pomona.foundation.errors import DataError
from pomona.foundation.run import Run, available_threads
from pomona.networks.build import build
from pomona.networks.forecast_blocks import FORECAST_BLOCKS
from pomona.networks.spec import Spec
from pomona.nn.forecast_frame import ForecastFrame, FrameSettings

AT_ONCE = 512
HEADS = ("y", "quantiles", "nonzero")
DEFAULT_STEPS = 600


def fit(
    panel: Panel,
    cut: np.ndarray,
    settings: Any = None,
    *,
    run: Run,
    point: Point | None = None,
    steps: int = DEFAULT_STEPS,
    name: str = "network",
) -> Params:
    """A network trained on what lies before the cut; `point` says which, the usual one when it is not given.

    Raises DataError when no series has two steps before its cut.
    """
    sight = sight_of(panel, cut)
    point = point or starting_points(sight)[0]
    design = design_for(panel, cut, point, sight)
    result = train(design, point, panel, cut, steps=steps, run=run, name=name)
    if result.failed:
        raise DataError(f"the network {name} could not be trained: {result.failed}")
    return params_of(design, result.state)


def design_for(panel: Panel, cut: np.ndarray, point: Point, sight: Sight) -> Design:
    """The design of a point for this panel."""
    encoding = encoding_of(panel, cut, knows_series=point["knows_series"])
    shape = WindowShape(sight.context(point["context"]), panel.horizon)
    num_features = Windows(panel, cut, shape, encoding).num_features
    return design_of(point, sight, encoding, num_features)


def predict(params: Params, panel: Panel, cut: np.ndarray) -> Forecast:
    """What the network says of the steps from the cut on; it reads nothing at or after the cut."""
    design = read_design(params)
    module = module_of(params, design)
    windows = Windows(panel, cut, design.window, design.encoding)

    def said(start: int) -> dict[str, np.ndarray]:
        series = np.arange(start, min(start + AT_ONCE, panel.num_series))
        batch = windows.read(series, cut[series])
        with torch.inference_mode():
            heads = module({key: torch.from_numpy(array) for key, array in batch.items() if key in INPUTS})
            return {head: heads[head].numpy() for head in HEADS if head in heads}

    starts = range(0, panel.num_series, AT_ONCE)
    with threads_alone(min(available_threads(), max(len(starts), 1))) as pool:
        parts = list(pool.map(said, starts))
    found = {head: np.concatenate([part[head] for part in parts]).astype(np.float64) for head in parts[0]}
    return Forecast(found["y"][:, :, 0], found["quantiles"], found.get("nonzero"))


INPUTS = ("past", "future", "lags", "static", "numbers")


def params_of(design: Design, state: Mapping[str, torch.Tensor]) -> Params:
    """A trained network as arrays and plain data."""
    plain = {
        "spec": design.spec.to_json(),
        "frame": asdict(design.frame),
        "window": asdict(design.window),
        "encoding": design.encoding.to_json(),
    }
    return Params({name: tensor.numpy() for name, tensor in state.items()}, plain)


def read_design(params: Params) -> Design:
    """The design that `params_of` wrote."""
    plain = params.plain
    frame = {**plain["frame"], "levels": tuple(plain["frame"]["levels"])}
    window = {**plain["window"], "lags": tuple(plain["window"]["lags"])}
    encoding = Encoding.from_json(plain["encoding"])
    return Design(Spec.from_json(plain["spec"]), FrameSettings(**frame), WindowShape(**window), encoding)


def module_of(params: Params, design: Design | None = None) -> ForecastFrame:
    """The trained module, in evaluation mode."""
    design = design or read_design(params)
    module = ForecastFrame(build(design.spec, 0, blocks=FORECAST_BLOCKS), design.frame)
    module.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in params.arrays.items()})
    return module.eval()
