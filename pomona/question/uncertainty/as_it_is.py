"""A fitted model as it is: an artifact's own predictions among the methods that are fitted anew."""

from dataclasses import replace
from pathlib import Path

from pomona.export.predictors.load import load
from pomona.fit.settings import FitSettings
from pomona.fit.subject import Subject
from pomona.networks.cost import flops, parameters
from pomona.question.uncertainty.methods.answering import residual_noise
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.said import Said, SaidValues, said_of, values_of_members
from pomona.tasks.batch import Batch

NAME = "as-it-is"


def as_it_is(folder: Path, subject: Subject) -> Fitted:
    """The artifact's predictor, its temperature included; values get the noise of its validation errors."""
    predictor, task = load(folder), subject.task
    target = only_target(task).name

    def silent(batch: Batch) -> Said | SaidValues:
        predicted = predictor.predict_batch(batch)[target]
        return said_of(predicted) if task.kind == "classify" else SaidValues(predicted)

    def noisy(batch: Batch) -> Said | SaidValues:
        mean = silent(batch)
        assert isinstance(mean, SaidValues)
        return replace(values_of_members(mean.mean[None], noise + 0 * mean.mean[None]), members=None)

    noise = residual_noise(task, silent) if task.kind == "regress" else 0.0
    return Fitted(
        say=silent if task.kind == "classify" else noisy,
        parameters=parameters(subject.spec),
        flops=flops(subject.spec),
        steps=0,
        fit_seconds=0.0,
        state={},
        settings=MethodSettings(subject.settings or FitSettings()),
    )
