"""The training techniques that a search chooses from: fields of FitSettings, and who teaches how much."""

from collections.abc import Mapping
from typing import Any

from pomona.fit.augment import auto_strength
from pomona.fit.distillation import can_be_taught
from pomona.fit.settings import FitSettings
from pomona.fit.trials.space import Choice, Float, Parameter, Point, Space
from pomona.tasks.task import Task

CLASSIFYING = ("classify", "segment", "sequence")
AUGMENTED = ("image", "audio", "series")
TABLES = ("vector", "number", "category", "labels")

DISTILLATION = "distillation"
"""The teacher's share of the loss, 0 for none; see `Lessons`."""

TEACHER = "teacher"
TEACHING: dict[str, Parameter] = {
    DISTILLATION: Choice((0.0, 0.3, 0.6, 0.9)),
    "temperature": Choice((1.0, 2.0, 4.0)),
    TEACHER: Choice(("best", "ensemble")),
}
"""What says how a model is taught by those that were found before it; the rest are fields of FitSettings."""


def technique_space(task: Task, *, teach: bool = True) -> Space:
    """What may be varied for such a task: fields of FitSettings and, where it can be taught, TEACHING."""
    kinds = {feature.kind for feature in task.inputs.values()}
    parameters: dict[str, Parameter] = {
        "optimizer": Choice(("adamw", "lion", "sgd")),
        "learning_rate": Float(3e-4, 3e-2, log=True),
        "weight_decay": Choice((0.0, 0.005, 0.02, 0.05, 0.2)),
        "batch_size": Choice((32, 64, 128)),
        "schedule": Choice(("cosine", "one-cycle")),
        "ema": Choice((0.0, 0.97, 0.99, 0.997)),
    }
    if task.kind in CLASSIFYING:
        parameters["label_smoothing"] = Choice((0.0, 0.05, 0.1))
    if kinds & set(AUGMENTED):
        parameters["augment"] = Choice(("none", "light", "medium", "strong"))
    if task.kind == "classify" and kinds <= {"image", "vector", "series", "audio"}:
        parameters["mixup"] = Choice((0.0, 0.2))
    return Space(parameters | TEACHING if teach and can_be_taught(task) else parameters)


def usual_technique(task: Task, *, teach: bool = True) -> Point:
    """The point of the space that a search starts with: what `fit` would do, made for short trainings.

    Those are better with averaged weights, and with inputs that vary less. Networks on tables learn by heart
    what they see: they go in small steps and are kept from being sure.
    """
    defaults = {**vars(FitSettings()), DISTILLATION: 0.0, "temperature": 2.0, TEACHER: "best"}
    point: dict[str, Any] = {name: defaults[name] for name in technique_space(task, teach=teach).parameters}
    if {feature.kind for feature in task.inputs.values()} <= set(TABLES):
        point["learning_rate"] = 1e-3
        if "label_smoothing" in point:
            point["label_smoothing"] = 0.1
    point["ema"] = 0.99
    if "augment" in point:
        strengths = {auto_strength(task, feature) for feature in task.inputs.values()}
        point["augment"] = "light" if strengths & {"light", "medium", "strong"} else "none"
    return point


def effective(technique: Mapping[str, Any]) -> Point:
    """The parts of a technique that count: without a teacher's share neither temperature nor teacher do, and
    with one no examples are mixed, since the teacher has said nothing of mixtures.
    """
    if technique.get(DISTILLATION):
        return {name: value for name, value in technique.items() if name != "mixup"}
    return fit_part(technique)


def untaught(technique: Mapping[str, Any]) -> Point:
    """The technique without a teacher."""
    return {**technique, DISTILLATION: 0.0} if DISTILLATION in technique else dict(technique)


def fit_part(technique: Mapping[str, Any]) -> Point:
    """The part of a technique that is fields of FitSettings."""
    return {name: value for name, value in technique.items() if name not in TEACHING}
