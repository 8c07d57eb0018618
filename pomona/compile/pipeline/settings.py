"""Settings of a partition. Nothing here imports torch: flags are read from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pomona.foundation.errors import SettingError


@dataclass(frozen=True)
class PartitionSettings:
    """Into how many stages a model is cut, how the cuts are found, and what is measured."""

    stages: int = 2
    """Processes, each on a core of its own."""

    method: Literal["auto", "exact", "bisection", "equal-nodes", "equal-parameters"] = "auto"
    """How cuts are found; auto takes the best that any of them finds."""

    batch: int = 1
    """Examples in an entry of the pipeline."""

    inputs: Path | None = None
    """An npz file of inputs, one example a row, for a model with free axes besides the first."""

    memory_mb: float | None = None
    """The most that the parameters and tensors of one stage may take, in millions of bytes."""

    profile_seconds: float = 60.0
    """How long parts may be timed to better the cuts that single costs give."""

    predict_only: bool = False
    """Say what is foretold, and do not run the pipeline and the whole model to see."""

    measure_seconds: float = 2.0
    """How long each of them runs in each round."""

    rounds: int = 3
    """Rounds in which they take turns."""

    micro_batches: int = 8
    """Into how many parts a batch is split, in the training schedules that are drawn."""

    def __post_init__(self) -> None:
        for name in ("stages", "batch", "rounds", "micro_batches"):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("memory_mb", "profile_seconds", "measure_seconds"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise SettingError(f"{name} must be above 0, got {value:g}")
