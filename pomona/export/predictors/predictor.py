"""What every saved model answers: the same questions, whatever runs it. It needs no torch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from pomona.export.sessions.session import Session
from pomona.foundation.artifact import Artifact
from pomona.foundation.errors import ArtifactError
from pomona.foundation.statistics.conformal import Conformal, prediction_interval, prediction_set
from pomona.networks.spec import Spec
from pomona.tasks.batch import Batch, check_batch
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.outputs import decide
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.readers.read_input import read_input

BATCH_SIZE = 256


@dataclass(frozen=True)
class Answers:
    """What a model says of a batch of the user's records."""

    names: Sequence[str]
    """Of the records: file names, row numbers."""
    predictions: dict[str, Float[np.ndarray, "batch ..."]]
    """Target → probabilities, or values in the target's unit."""
    decisions: dict[str, list[Any]]
    """Target → one entry a record, as `pomona.tasks.outputs.decide` gives it."""


@dataclass(frozen=True)
class Predictor:
    """A saved model. Its session gives predictions: probabilities, or values in the target's unit.

    `data` below is whatever `pomona.tasks.readers.read_input` reads: a path to a table, an image, a
    recording, an npz file or a folder; an array; a dict of arrays; a data frame; a list of texts. A model
    with one target answers with what it has for it, one with several with a dict by target.
    """

    artifact: Artifact
    session: Session

    @property
    def kind(self) -> str:
        """Kind of predictor: network, ensemble, onnx."""
        return self.artifact.kind

    @property
    def card(self) -> str:
        """What a reader should know of the model, in Markdown."""
        return self.artifact.card

    @property
    def metrics(self) -> Mapping[str, Any]:
        """What was measured when the model was made."""
        return self.artifact.metrics

    @cached_property
    def inputs(self) -> dict[str, Feature]:
        """What the network reads, after preprocessing."""
        return _features(self.artifact.inputs)

    @cached_property
    def targets(self) -> dict[str, Feature]:
        """What is predicted."""
        return _features(self.artifact.targets)

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """The way from raw records to the inputs."""
        return Preprocessing.from_json(self.artifact.preprocessing or [])

    @cached_property
    def spec(self) -> Spec | None:
        """The network as data; None for a predictor that is no single network."""
        return None if self.artifact.spec is None else Spec.from_json(self.artifact.spec)

    def predict(self, data: Any) -> Any:
        """One decision a record: a class name, the names of labels, a number, or arrays of these.

        >>> pomona.load("runs/fit-digits/artifact").predict("three.png")  # doctest: +SKIP
        ['3']
        """
        answers = list(self.answers(data))
        return self._one_or_all(
            {name: [entry for part in answers for entry in part.decisions[name]] for name in self.targets}
        )

    def predict_proba(self, data: Any) -> Any:
        """The predictions as arrays, a record a row: probabilities, or values in the target's unit."""
        answers = list(self.answers(data))
        return self._one_or_all(
            {name: np.concatenate([part.predictions[name] for part in answers]) for name in self.targets}
        )

    def predict_set(self, data: Any) -> Any:
        """Lists of class names, a record each, that hold the true class as often as the calibration says.

        Raises ArtifactError for a model without such a calibration, and SettingError for one of numbers, for
        which there is `predict_interval`.
        """
        sets: dict[str, list[list[str]]] = {name: [] for name in self.targets}
        conformal = {name: self._conformal(name) for name in self.targets}
        for part in self.answers(data):
            for name, values in part.predictions.items():
                inside = prediction_set(conformal[name], values)
                classes = self.targets[name].classes or tuple(map(str, range(values.shape[1])))
                sets[name] += [[classes[index] for index in np.flatnonzero(row)] for row in inside]
        return self._one_or_all(sets)

    def predict_interval(self, data: Any) -> Any:
        """Lower and upper ends, arrays with a record a row; the truth is inside as often as calibration says.

        Each number is covered by itself. Raises ArtifactError as `predict_set` does.
        """
        parts = list(self.answers(data))
        ends = {}
        for name in self.targets:
            values = np.concatenate([part.predictions[name] for part in parts])
            ends[name] = prediction_interval(self._conformal(name), values)
        return self._one_or_all(ends)

    def predict_batch(self, batch: Batch) -> dict[str, Float[np.ndarray, "batch ..."]]:
        """Target → predictions for a batch of prepared inputs, with the masks of variable ones."""
        return self.session.run(batch)

    def answers(self, data: Any) -> Iterator[Answers]:
        """Names, predictions and decisions, a batch at a time, so that neither has to fit in memory.

        Raises DataError when the records are not what the model reads.
        """
        for names, batch in self.prepared(data):
            predictions = self.predict_batch(batch)
            decisions = {
                name: decide(self.artifact.task_kind, values, self.targets[name], self._real(batch, values))
                for name, values in predictions.items()
            }
            yield Answers(names, predictions, decisions)

    def prepared(self, data: Any) -> Iterator[tuple[Sequence[str], Batch]]:
        """The records' names and what the network reads of them, a batch at a time.

        Raises DataError when the records are not what the model reads.
        """
        raw = read_input(data, self.preprocessing, self.inputs)
        for start in range(0, raw.size, BATCH_SIZE):
            end = min(start + BATCH_SIZE, raw.size)
            yield raw.names[start:end], self._prepared(raw.read(np.arange(start, end)))

    def _conformal(self, target: str) -> Conformal:
        kept = (self.artifact.calibration.get("conformal") or {}).get(target)
        if kept is None:
            raise ArtifactError(
                f"the model has no conformal calibration of {target!r}: only predictions can be had"
            )
        return Conformal.from_json(kept)

    def _prepared(self, raw: Batch) -> Batch:
        batch = self.preprocessing.apply(raw)
        for name, feature in self.inputs.items():
            if name in batch and batch[name].dtype.kind in "buif":
                batch[name] = batch[name].astype(feature.dtype, copy=False)
            if name in batch and feature.variable:
                batch.setdefault(mask_key(name), np.ones(batch[name].shape[:2], bool))
        check_batch(batch, self.inputs)
        return batch

    def _real(self, batch: Batch, values: np.ndarray) -> Bool[np.ndarray, "batch time"] | None:
        # a step of a sequence is real where the first variable input of as many steps is
        if self.artifact.task_kind not in ("sequence", "language"):
            return None
        masks = [batch[mask_key(name)] for name, feature in self.inputs.items() if feature.variable]
        return next((mask for mask in masks if mask.shape == values.shape[:2]), None)

    def _one_or_all(self, values: dict[str, Any]) -> Any:
        return next(iter(values.values())) if len(values) == 1 else values


def _features(plain: Mapping[str, Any]) -> dict[str, Feature]:
    return {name: Feature.from_json(feature) for name, feature in plain.items()}
