"""The networks that a search finds, together: one member of the leaderboard.

The first call searches: networks are compared on origins before the cut, the best are kept with their
weights, then trained for all that lies before the cut. A later call in the same run, with more history,
only trains them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from pomona.find.forecasting.ensemble import combine
from pomona.find.forecasting.networks.member import design_for, params_of, read_design
from pomona.find.forecasting.networks.member import predict as predict_one
from pomona.find.forecasting.networks.search import Budget, Chosen, search, usual_budget
from pomona.find.forecasting.networks.space import sight_of
from pomona.find.forecasting.networks.training import train
from pomona.find.forecasting.problem import QUANTILES, Forecast, Panel, Params, histories, tail
from pomona.find.forecasting.storing import read_params, write_params
from pomona.fit.trials.space import Point
from pomona.foundation.run import Run

STATE = "networks"
FURTHER, GENTLER = 0.5, 0.5
"""Steps of the training on later history, and its learning rate, as shares of those before."""


def fit(panel: Panel, cut: Int64[np.ndarray, " series"], settings: Any, *, run: Run) -> Params:
    """The best networks for what lies before the cut; none where all series are too short."""
    if not _is_enough(panel, cut):
        return Params({}, {"networks": []})
    own = run.child("networks")
    seconds, trials = getattr(settings, "seconds", None), getattr(settings, "trials", None)
    budget = usual_budget(panel, seconds=seconds, trials=trials)
    chosen = _chosen(panel, cut, budget, own)
    label = f"at-{int(cut.sum())}"
    trained = [_trained_on(one, panel, cut, budget, label, own) for one in chosen]
    return joined(chosen, trained)


def predict(params: Params, panel: Panel, cut: Int64[np.ndarray, " series"]) -> Forecast:
    """What the networks say together; without any, the last value."""
    parts = parts_of(params)
    if not parts:
        return _last_value(panel, cut)
    said = {name: predict_one(part, panel, cut) for name, (_, part) in parts.items()}
    return combine(said, {name: weight for name, (weight, _) in parts.items()})


def joined(chosen: Sequence[Chosen], trained: Sequence[Params]) -> Params:
    """Several networks as the parameters of one member."""
    arrays, entries = {}, []
    for one, params in zip(chosen, trained, strict=True):
        arrays |= {f"{one.name}/{name}": array for name, array in params.arrays.items()}
        entry = {"name": one.name, "weight": one.weight, "point": one.point, "plain": params.plain}
        entries.append(entry)
    return Params(arrays, {"networks": entries})


def parts_of(params: Params) -> dict[str, tuple[float, Params]]:
    """Name → weight and parameters of each network."""
    found = {}
    for entry in params.plain["networks"]:
        start = f"{entry['name']}/"
        arrays = {n[len(start) :]: array for n, array in params.arrays.items() if n.startswith(start)}
        found[entry["name"]] = (float(entry["weight"]), Params(arrays, entry["plain"]))
    return found


def _chosen(panel: Panel, cut: np.ndarray, budget: Budget, run: Run) -> list[Chosen]:
    """What the search of this run found, now or earlier, with the latest weights of each network."""
    kept = run.restore(STATE)
    if kept is None:
        found = search(panel, cut, budget, run=run)
        run.save(STATE, [{"name": one.name, "point": one.point, "weight": one.weight} for one in found])
        for one in found:
            write_params(run.path(LATEST, one.name, "params.json").parent, one.params)
        return found
    return [_read(entry, run) for entry in kept]


LATEST = "latest"


def _read(entry: Mapping[str, Any], run: Run) -> Chosen:
    params = read_params(run.path(LATEST, entry["name"], "params.json").parent)
    point: Point = dict(entry["point"])
    return Chosen(entry["name"], point, float(entry["weight"]), params)


def _trained_on(
    chosen: Chosen, panel: Panel, cut: np.ndarray, budget: Budget, label: str, run: Run
) -> Params:
    """The network for everything before the cut: trained on where it fits, anew where it reads more now."""
    folder = run.path(label, chosen.name, "params.json").parent
    if (folder / "params.json").exists():
        return read_params(folder)
    design = design_for(panel, cut, chosen.point, sight_of(panel, cut))
    point, steps, weights = chosen.point, budget.steps_of(chosen.point), None
    if design.spec == read_design(chosen.params).spec:
        point = {**point, "learning_rate": GENTLER * point["learning_rate"]}
        steps = budget.steps_of(chosen.point, FURTHER)
        weights = {name: torch.from_numpy(np.array(array)) for name, array in chosen.params.arrays.items()}
    name = f"{label}-{chosen.name}"
    found = train(design, point, panel, cut, steps=steps, run=run, name=name, weights=weights)
    params = chosen.params if found.failed else params_of(design, found.state)
    write_params(folder, params)
    write_params(run.path(LATEST, chosen.name, "params.json").parent, params)
    return params


def _is_enough(panel: Panel, cut: np.ndarray) -> bool:
    """Whether some series has four steps before the cut: two to judge by, two to learn from."""
    return bool((np.minimum(cut, panel.ends) - panel.start >= 4).any())


def _last_value(panel: Panel, cut: np.ndarray) -> Forecast:
    last = np.nan_to_num(tail(histories(panel, cut), 1)).astype(np.float64)
    mean = np.repeat(last, panel.horizon, axis=1)
    return Forecast(mean, np.repeat(mean[:, :, None], len(QUANTILES), axis=2))
