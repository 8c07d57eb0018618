"""Settings of a pruning. Nothing here imports torch: flags are read from them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pomona.foundation.errors import SettingError, unknown_name

Allocation = Literal["uniform", "erk", "latency"]
Values = Literal["float32", "float16"]


@dataclass(frozen=True)
class PruneSettings:
    """How many weights become zero, which, and how the others are brought to make up for it."""

    sparsity: str = "0.8"
    """Share of the weights of pruned layers that becomes zero, at least 0 and below 1; several with commas
    between them give a curve, and the last of them the artifact."""

    method: str = "magnitude"
    """Of a network: magnitude, one-shot, rigl or set. Of an ONNX file: magnitude or reconstruct."""

    pattern: str = "1x1"
    """What is zero together: 1x1, blocks of output channels as in 2x1 and 4x1, or N:M, N kept of every M."""

    allocation: Allocation = "uniform"
    """How sparsity is spread over layers: alike, less in small layers (Erdős–Rényi), or by measured time."""

    dense: str = "default"
    """Layers that stay dense: default (first convolution, depthwise, embeddings, classifier), none, or names
    and beginnings of names, with commas between them."""

    start: float = 0.0
    """Share of the steps after which pruning begins; at least 0."""

    end: float | None = None
    """Share of the steps after which zeros stay where they are, above `start`, at most 1; when not given 0.3
    for magnitude, whose weights need the rest to make up for those that are gone, 0.7 for rigl and set."""

    updates: int = 50
    """How often, between these, it is decided anew which weights are zero."""

    drop: float = 0.3
    """Of rigl and set: share of the weights that is exchanged at first; it falls to 0 along a cosine."""

    length: float = 1.0
    """Steps of the sparse training by those of the dense one; above 0."""

    rate: float = 1.0
    """Learning rate after a dense training by that of it; above 0. Much below 1, the weights that are left
    move too little to make up for the others."""

    teacher: float = 0.0
    """Share of the loss, at most 1, that the dense network has as a teacher."""

    student: str = ""
    """A network, by name or file, that is distilled from the dense one, to compare with."""

    values: Values = "float32"
    """In what weights are stored; float16 rounds them."""

    calibration: Path | None = None
    """For an ONNX file: inputs, as an npz file or a folder of images, that its layers are fitted to."""

    pixels: str = "0,1"
    """What black and white are for the network, where the calibration inputs are images."""

    random_calibration: bool = False
    """Take random numbers for calibration inputs; what comes out then may be poor."""

    def __post_init__(self) -> None:
        for value in self.sparsities():
            if not 0 <= value < 1:
                raise SettingError(f"sparsity must be at least 0 and below 1, got {value}")
        for name, choices in (("allocation", get_args(Allocation)), ("values", get_args(Values))):
            if getattr(self, name) not in choices:
                raise unknown_name(name, getattr(self, name), choices)
        end = 1.0 if self.end is None else self.end
        if not 0 <= self.start < end <= 1:
            raise SettingError(f"start and end must be 0 <= start < end <= 1, got {self.start} and {end}")
        for name in ("drop", "teacher"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
        for name in ("length", "rate"):
            if not 0 < getattr(self, name) < float("inf"):
                raise SettingError(f"{name} must be above 0 and finite, got {getattr(self, name)}")
        if self.updates < 1:
            raise SettingError(f"updates must be at least 1, got {self.updates}")
        self.pixel_range()

    def sparsities(self) -> tuple[float, ...]:
        """The sparsities asked for, in order."""
        return _numbers("sparsity", self.sparsity)

    def pixel_range(self) -> tuple[float, float]:
        """What black and white are."""
        found = _numbers("pixels", self.pixels)
        if len(found) != 2 or found[0] == found[1]:
            raise SettingError(f"pixels must be two different numbers such as -1,1, got {self.pixels!r}")
        return found[0], found[1]


def _numbers(name: str, text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in str(text).split(","))
    except ValueError:
        raise SettingError(f"{name} must be numbers with commas between them, got {text!r}") from None
    if not all(abs(number) < float("inf") for number in found):
        raise SettingError(f"{name} must be finite, got {text!r}")
    return found
