"""Settings of a fit. Nothing here imports torch: the command line reads its flags from them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

from pomona.foundation.errors import SettingError, unknown_name

Optimizer = Literal["adamw", "adam", "sgd", "rmsprop", "lion"]
Schedule = Literal["cosine", "constant", "linear", "one-cycle"]
Augment = Literal["auto", "none", "light", "medium", "strong"]
Objective = Literal["auto", "cross-entropy", "binary-cross-entropy", "squared-error", "huber"]
ClassWeights = Literal["none", "balanced"]
Keep = Literal["best", "last"]
Precision = Literal["auto", "float32", "bfloat16", "float64"]


@dataclass(frozen=True)
class FitSettings:
    """How a network is trained. The defaults fit small and middling networks of every kind."""

    epochs: int | None = None
    """Passes over the training examples, at least 1; about 2000 steps in 10 to 200 passes when not given."""

    steps: int | None = None
    """Steps of the optimiser, at least 1; given, they decide and `epochs` does not count."""

    batch_size: int = 64
    """Examples a step."""

    accumulate: int = 1
    """Pieces in which a batch is computed, one after another, to save memory; the result is the same."""

    optimizer: Optimizer = "adamw"
    """The rule by which weights move."""

    learning_rate: float = 3e-3
    """The highest one, above 0; `schedule` and `warmup` say when."""

    schedule: Schedule = "cosine"
    """How the learning rate goes on after the warm-up."""

    warmup: float = 0.05
    """Share of the steps in which the learning rate rises from 0, at least 0 and below 1."""

    weight_decay: float = 0.02
    """Pull towards 0 of matrices and kernels, at least 0; biases, norms and gates are left alone."""

    momentum: float = 0.9
    """Of sgd and rmsprop, and the first beta of the others; at least 0 and below 1."""

    clip_norm: float = 1.0
    """Gradients with a longer norm are cut to it; 0 cuts none."""

    ema: float = 0.0
    """Decay a step, below 1, of the moving average of the weights that is evaluated and kept; 0 for none."""

    label_smoothing: float = 0.0
    """Share of the truth that is spread over all classes, at least 0 and below 1."""

    class_weights: ClassWeights = "none"
    """Balanced: a class counts the more, the rarer it is among the training examples."""

    augment: Augment = "auto"
    """How far training inputs are varied at random; auto looks at what the inputs and the targets are."""

    flip: bool = False
    """Also mirror training images left to right, where that changes no target."""

    mixup: float = 0.0
    """Mixes pairs of training examples; the two parameters of the Beta distribution of shares, 0 for none."""

    cutmix: float = 0.0
    """Gives training images a piece of another: both parameters of the Beta distribution, 0 for none."""

    early_stopping: int = 0
    """Evaluations in a row without a better validation score after which training ends; 0 never."""

    keep: Keep = "best"
    """Which weights are the result: those with the best validation score, or the last ones."""

    evaluate_every: int | None = None
    """Epochs between two evaluations on the validation examples, at least 1; when not given, it makes 30."""

    objective: Objective = "auto"
    """What is minimised; auto takes the task's, or the usual one for its kind."""

    precision: Precision = "auto"
    """Of the computation; auto is bfloat16 on an accelerator that has it, else float32."""

    memory_mb: int = 1024
    """A split that takes more, in 2**20 bytes, is read batch by batch in the background."""

    checkpoint_seconds: float = 30.0
    """Seconds between two checkpoints, at least 0."""

    def __post_init__(self) -> None:
        for name, choices in _choices().items():
            if getattr(self, name) not in choices:
                raise unknown_name(name, getattr(self, name), choices)
        for name in ("epochs", "steps", "batch_size", "accumulate", "evaluate_every", "memory_mb"):
            _check(self, name, 1, float("inf"), "at least 1")
        for name in ("weight_decay", "clip_norm", "mixup", "cutmix", "early_stopping", "checkpoint_seconds"):
            _check(self, name, 0, float("inf"), "at least 0")
        for name in ("warmup", "momentum", "ema", "label_smoothing"):
            _check(self, name, 0, 1, "at least 0 and below 1")
        if not 0 < self.learning_rate < float("inf"):
            raise SettingError(f"learning_rate must be above 0 and finite, got {self.learning_rate}")
        if self.accumulate > self.batch_size:
            raise SettingError(
                f"accumulate must be at most batch_size, got {self.accumulate} pieces of {self.batch_size}"
            )

    def to_json(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(self)

    @staticmethod
    def from_json(plain: Mapping[str, Any]) -> "FitSettings":
        """The settings that `to_json` wrote; fields left out have their default. Raises SettingError."""
        known = [field.name for field in fields(FitSettings)]
        for name in plain:
            if name not in known:
                raise unknown_name("setting of a fit", name, known)
        return FitSettings(**plain)


def _check(settings: FitSettings, name: str, low: float, high: float, wanted: str) -> None:
    value = getattr(settings, name)
    # a NaN is in no range
    if value is not None and not low <= value < high:
        raise SettingError(f"{name} must be {wanted}, got {value}")


def _choices() -> dict[str, tuple[str, ...]]:
    hints = get_type_hints(FitSettings)
    return {name: get_args(hint) for name, hint in hints.items() if hint in _NAMED}


_NAMED = (
    Optimizer,
    Schedule,
    Augment,
    Objective,
    Precision,
    Literal["none", "balanced"],
    Literal["best", "last"],
)
