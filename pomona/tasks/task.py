"""A task: what goes in, what is wanted, the examples, and how success is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pomona.foundation.errors import DataError, unknown_name
from pomona.tasks.feature import Feature
from pomona.tasks.preprocessing import Preprocessing
from pomona.tasks.source import Source

TaskKind = Literal["classify", "multilabel", "regress", "segment", "sequence", "language", "forecast"]

TARGET_KINDS: dict[str, tuple[str, ...]] = {
    "classify": ("category",),
    "multilabel": ("labels",),
    "regress": ("number", "vector", "keypoints"),
    "segment": ("mask",),
    "sequence": ("category",),
    "language": ("tokens",),
    "forecast": ("series",),
}


@dataclass(frozen=True)
class Task:
    """Everything a method needs to know of a problem.

    kind        a target's array            a head's raw output          what a prediction is
    classify    category ()                 (batch, classes)             probabilities
    multilabel  labels (classes,)           (batch, classes)             a probability for every class
    regress     number () or (values,)      (batch, *shape)              values in the target's unit
    segment     mask (height, width)        (batch, classes, height, width)  probabilities
    sequence    category (time,)            (batch, time, classes)       probabilities
    language    tokens (time,)              (batch, time, tokens)        probabilities of the next token
    forecast    series (horizon, features)  (batch, horizon, features)   values in the target's unit

    A network has one head a target, of the same name. `splits` holds train, valid and test, and any number of
    stress splits under other names. `metrics` names what is reported, the first one is what is optimised.
    `preprocessing` maps raw records, as a user has them, to the inputs; it was fitted on the training split.
    """

    name: str
    kind: TaskKind
    inputs: Mapping[str, Feature]
    targets: Mapping[str, Feature]
    splits: Mapping[str, Source]
    metrics: tuple[str, ...]
    preprocessing: Preprocessing
    fingerprint: str
    objective: str = ""
    about: str = ""
    licence: str = ""
    notes: tuple[str, ...] = field(default=())
    """What the reader did that a user should know: rows dropped, files skipped, kinds guessed."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(TaskKind):
            raise unknown_name("kind of task", self.kind, get_args(TaskKind))
        for side in ("train", "valid", "test"):
            if side not in self.splits:
                raise DataError(f"task {self.name!r} lacks the split {side!r}; it has {sorted(self.splits)}")
        if not self.inputs or not self.targets:
            raise DataError(f"task {self.name!r} needs at least one input and one target")
        if both := set(self.inputs) & set(self.targets):
            raise DataError(f"task {self.name!r}: {sorted(both)[0]!r} is an input and a target; rename one")
        for name, feature in self.targets.items():
            if feature.kind not in TARGET_KINDS[self.kind]:
                wanted = " or ".join(TARGET_KINDS[self.kind])
                raise DataError(f"target {name!r} is of kind {feature.kind}; {self.kind} wants {wanted}")


TaskMaker = Callable[[], Task]
