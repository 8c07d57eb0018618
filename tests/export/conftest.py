"""A small saved network of every kind of task, made once: exporting takes a second each."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pomona.export.prediction import Predicting
from pomona.export.predictors.network import save_network
from pomona.networks.build import build
from pomona.networks.default import default_spec
from pomona.tasks import load_task
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

TASKS = {
    "classify": "digits",
    "multilabel": "digit-properties",
    "regress": "diabetes",
    "segment": "shapes",
    "sequence": "tagged-words",
    "language": "small-grammar",
    "forecast": "seasonal-series",
    "several": "two-digits",
}
TEMPERED = ("classify", "multilabel", "segment", "sequence", "language", "several")


@dataclass(frozen=True)
class Saved:
    task: Task
    folder: Path
    network: nn.Module
    temperatures: dict[str, float]
    example: Batch

    @property
    def module(self) -> nn.Module:
        """The network, its heads turned into predictions, as it was before it was saved."""
        return Predicting(self.network, self.task.kind, self.task.targets, self.temperatures).eval()


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Kind of task → a network of random weights for it, saved."""
    made: dict[str, Saved] = {}

    def of_kind(kind: str) -> Saved:
        if kind not in made:
            task = load_task(TASKS[kind])
            spec = default_spec(task)
            network = _unsettled(build(spec, 3))
            temperatures = {name: 1.7 for name in task.targets} if kind in TEMPERED else {}
            example = task.splits["valid"].read(np.arange(4))
            folder = save_network(
                tmp_path_factory.mktemp(kind) / "artifact",
                task,
                spec,
                network.state_dict(),
                example=example,
                calibration={"temperature": temperatures, "conformal": None},
                metrics={"test": {"score": 0.5}},
                card=f"# {task.name}\n",
            )
            made[kind] = Saved(task, folder, network, temperatures, example)
        return made[kind]

    return of_kind


def _unsettled(network: nn.Module) -> nn.Module:
    """Every weight moved: gates and last layers that start at zero would hide what comes before them."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=generator)
    return network
