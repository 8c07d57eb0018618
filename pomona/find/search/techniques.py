"""The training techniques that a search chooses from: a space over fields of FitSettings."""

from typing import Any

from pomona.fit.augment import auto_strength
from pomona.fit.settings import FitSettings
from pomona.fit.trials.space import Choice, Float, Parameter, Point, Space
from pomona.tasks.task import Task

CLASSIFYING = ("classify", "segment", "sequence")
AUGMENTED = ("image", "audio", "series")
TABLES = ("vector", "number", "category", "labels")


def technique_space(task: Task) -> Space:
    """What may be varied for such a task; every option's name is a field of FitSettings."""
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
    return Space(parameters)


def usual_technique(task: Task) -> Point:
    """The point of the space that a search starts with: what `fit` would do, made for short trainings.

    Those are better with averaged weights, and with inputs that vary less. Networks on tables learn by heart
    what they see: they go in small steps and are kept from being sure.
    """
    defaults = FitSettings()
    point: dict[str, Any] = {name: getattr(defaults, name) for name in technique_space(task).parameters}
    if {feature.kind for feature in task.inputs.values()} <= set(TABLES):
        point["learning_rate"] = 1e-3
        if "label_smoothing" in point:
            point["label_smoothing"] = 0.1
    point["ema"] = 0.99
    if "augment" in point:
        strengths = {auto_strength(task, feature) for feature in task.inputs.values()}
        point["augment"] = "light" if strengths & {"light", "medium", "strong"} else "none"
    return point
