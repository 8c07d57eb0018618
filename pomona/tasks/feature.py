"""A feature: one named input or target of a task, as data."""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from pomona.foundation.errors import DataError, unknown_name

FeatureKind = Literal[
    "image", "audio", "tokens", "series", "vector", "category", "labels", "number", "keypoints", "mask"
]


@dataclass(frozen=True)
class Feature:
    """One input or target. Shapes are those of one example, padded where examples differ in length.

    kind        shape                     dtype     meaning
    image       (channels, height, width) float32   pixels
    audio       (samples,)                float32   waveform in [-1, 1], `rate` samples a second
    tokens      (time,)                   int64     ids below `num_tokens`; 0 is padding
    series      (time, features)          float32   measurements over time
    vector      (features,)               float32   a row of numbers
    category    () or (time,)             int64     an index into `classes`, once or for every step
    labels      (classes,)                float32   1 for every class that holds, 0 for the others
    number      () or (values,)           float32   a quantity in `unit`
    keypoints   (points, dimensions)      float32   coordinates
    mask        (height, width)           int64     an index into `classes` for every pixel

    A `variable` feature has a companion array `mask_key(name)`: bool, true where a step is real.
    Targets of kind number and series are learned as (value - center) / scale; predictions are in `unit`.
    """

    name: str
    kind: FeatureKind
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    num_tokens: int | None = None
    rate: float | None = None
    unit: str = ""
    variable: bool = False
    center: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(FeatureKind):
            raise unknown_name("feature kind", self.kind, get_args(FeatureKind))
        if any(size <= 0 for size in self.shape):
            raise DataError(f"feature {self.name!r}: every size of a shape is positive, got {self.shape}")
        if self.kind == "tokens" and not self.num_tokens:
            raise DataError(f"feature {self.name!r}: tokens need num_tokens")

    @property
    def dtype(self) -> str:
        """Name of the NumPy dtype of the feature's arrays."""
        return "int64" if self.kind in ("tokens", "category", "mask") else "float32"

    def to_json(self) -> dict[str, Any]:
        """The feature as plain data, without fields that have their default value."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        defaults = {field.name: field.default for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in plain.items()
            if name in ("name", "kind", "shape") or value != defaults[name]
        }

    @staticmethod
    def from_json(plain: dict[str, Any]) -> "Feature":
        """The feature that `to_json` wrote. Raises DataError for unknown or missing fields."""
        known = {field.name for field in fields(Feature)}
        if (
            not isinstance(plain, dict)
            or not set(plain) <= known
            or not {"name", "kind", "shape"} <= set(plain)
        ):
            raise DataError(f"a feature has name, kind, shape and some of {sorted(known)}; got {plain}")
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()}
        return Feature(**values)


def mask_key(name: str) -> str:
    """The batch key of the mask of a variable feature: bool, true where a step is real."""
    return f"{name}.mask"
