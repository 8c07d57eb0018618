"""From a model and an example to a partition with its stages' models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from pomona.compile.pipeline.choose import Found, choose
from pomona.compile.pipeline.costs import Costs
from pomona.compile.pipeline.loops import together_us
from pomona.compile.pipeline.partition_file import Partition, Stage
from pomona.compile.pipeline.processes import cores_of, num_cores

SECONDS = 1.6
"""How long stages run together to have their times."""


@dataclass(frozen=True, eq=False)
class Partitioned:
    """A partition, the models of its stages, and what else was found on the way."""

    partition: Partition
    models: tuple[bytes, ...]
    found: tuple[Found, ...]
    chosen: Found
    costs: Costs


def partitioned(
    costs: Costs,
    num_stages: int,
    *,
    name: str,
    method: str = "auto",
    seconds: float = 60.0,
    should_stop: Callable[[], bool] = lambda: False,
) -> Partitioned:
    """Cuts the chain of `costs` into stages. Raises SettingError when that cannot be."""
    chosen, found = choose(costs, num_stages, method, seconds=seconds, should_stop=should_stop)
    traced, chain = costs.traced, costs.traced.chain
    places = [traced.places[cut] for cut in chosen.cuts]
    stages, models = [], []
    for index, (start, end) in enumerate(pairwise(places)):
        cut, next_cut = chosen.cuts[index : index + 2]
        stages.append(
            Stage(
                file="",
                sha256="",
                nodes=(start, end),
                predicted_us=chosen.stage_us[index],
                parameter_bytes=chain.part_bytes(start, end),
                memory_bytes=int(costs.memory[cut, next_cut]),
            )
        )
        computes = bool(chain.part_gives(start, end))
        models.append(chain.part_model(start, end, traced.tensors) if computes else b"")
    crossings = tuple(tuple(traced.tensors[one] for one in chain.live[place]) for place in places)
    batch = _batch(traced.values, chain.inputs)
    owner_us = _owner_us(costs, num_stages)
    partition = Partition(
        name, batch, chosen.method, num_cores(num_stages), owner_us, tuple(stages), crossings
    )
    return Partitioned(partition, tuple(models), tuple(found), chosen, costs)


def timed_together(made: Partitioned, folder: Path) -> Partitioned:
    """The same with the times that stages have while all of them run; `folder` has the stages' files."""
    traced, stages = made.costs.traced, made.partition.stages
    computing = [place for place, model in enumerate(made.models) if model]
    entries = [
        {name: traced.values[name] for name in traced.chain.part_needs(*stages[place].nodes)}
        for place in computing
    ]
    cores = cores_of(len(stages), None)
    models = [folder / f"stage-{place + 1}.onnx" for place in computing]
    spent = together_us(models, entries, [cores[place] for place in computing], folder, seconds=SECONDS)
    crossing = made.costs.crossing_us
    timed = list(stages)
    for place, us in zip(computing, spent, strict=True):
        beside = float(crossing[made.chosen.cuts[place]] + crossing[made.chosen.cuts[place + 1]])
        timed[place] = replace(stages[place], predicted_us=us + beside)
    return replace(made, partition=replace(made.partition, stages=tuple(timed)))


def _owner_us(costs: Costs, num_stages: int) -> float:
    """Nothing while there is a core without a stage."""
    if num_cores(num_stages) < num_cores(num_stages + 1):
        return 0.0
    traced = costs.traced
    return costs.transfer.owner_us(traced.live_bytes(0) + traced.live_bytes(len(traced.chain.nodes)))


def _batch(values: Mapping[str, np.ndarray], inputs: tuple[str, ...]) -> int:
    return max((int(values[name].shape[0]) for name in inputs if values[name].ndim), default=1)
