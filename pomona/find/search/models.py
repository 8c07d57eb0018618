"""Trained models of a search as something that predicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
from torch import Tensor

from pomona.find.search.ensemble import weighted_mean
from pomona.find.search.genome import Genome
from pomona.find.search.problem import Problem
from pomona.fit.assessment import Assessment, Predict, assess
from pomona.fit.evaluate import evaluating, place_of, predictions
from pomona.fit.feeds import to_tensors
from pomona.fit.trials.store import TrialStore
from pomona.fit.trials.trial import Trial
from pomona.networks.build import build
from pomona.tasks.batch import Batch

WEIGHTS = "weights.safetensors"
"""The file of a trial's trained weights."""


@dataclass(frozen=True)
class Model:
    """A trained network: its name in the report, its genome, and the file of its weights."""

    name: str
    genome: Genome
    weights_file: Path

    def weights(self) -> dict[str, Tensor]:
        """The trained weights."""
        return load_file(self.weights_file)


def model_of(trial: Trial, store: TrialStore, name: str) -> Model:
    """The model of a completed trial."""
    return Model(name, Genome.from_json(trial.genome), store.path(trial.number, WEIGHTS))


def assess_model(model: Model, problem: Problem, split: str, *, seed: int) -> Assessment:
    """What a model predicts on a split, and what that is worth."""
    return assess(predictions_of(model, problem), problem.task, split, seed=seed)


def predictions_of(model: Model, problem: Problem) -> Predict:
    """The function from a prepared batch to a model's predictions."""
    network = build(model.genome.spec, 0, blocks=problem.palette.blocks)
    network.load_state_dict(model.weights())
    place = place_of(network)

    def predict(batch: Batch) -> Mapping[str, np.ndarray]:
        with evaluating(network):
            return predictions(network(to_tensors(batch, problem.task, place)), problem.task)

    return predict


def mean_prediction(models: Sequence[Model], weights: Sequence[float], problem: Problem) -> Predict:
    """The function from a prepared batch to the weighted mean of several models' predictions."""
    members = [predictions_of(model, problem) for model in models]

    def predict(batch: Batch) -> Mapping[str, np.ndarray]:
        return weighted_mean([dict(member(batch)) for member in members], weights)

    return predict
