"""Landmarks that answer as MediaPipe's protocol buffers do."""

import functools
from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np
from jaxtyping import Float

FIELDS = ("x", "y", "z", "visibility", "presence")
_KNOWN = frozenset(FIELDS)


class NormalizedLandmark:
    """A point: x, y and z in shares of the picture's width, height and width.

    A field that was never given reads 0 and `HasField` denies it, as in a protocol buffer.
    """

    x = y = z = visibility = presence = 0.0

    def __init__(self, **fields: float) -> None:
        if not fields.keys() <= _KNOWN:
            raise ValueError(_no_field(self, *(fields.keys() - _KNOWN)))
        self.__dict__.update(fields)

    def __setattr__(self, name: str, value: float) -> None:
        if name not in FIELDS:
            raise AttributeError(_no_field(self, name))
        self.__dict__[name] = value

    def HasField(self, name: str) -> bool:
        """Whether the field was given."""
        if name not in FIELDS:
            raise ValueError(_no_field(self, name))
        return name in self.__dict__

    def ClearField(self, name: str) -> None:
        """Takes the field back."""
        if self.HasField(name):
            del self.__dict__[name]

    def CopyFrom(self, other: "NormalizedLandmark") -> None:
        """Takes the fields of another landmark and no others."""
        self.__dict__.clear()
        self.__dict__.update(other.__dict__)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return "".join(f"{name}: {self.__dict__[name]:.9g}\n" for name in FIELDS if name in self.__dict__)


class Landmark(NormalizedLandmark):
    """A point in metres from the middle of the hips."""


class NormalizedLandmarkList:
    """Points in `landmark`; also iterates, counts and indexes over them."""

    element: type[NormalizedLandmark] = NormalizedLandmark
    _fields: tuple[str, ...]
    _values: Float[np.ndarray, "point field"]

    def __init__(self, landmark: Iterable[NormalizedLandmark] = ()) -> None:
        self.landmark = list(landmark)

    @classmethod
    def of(cls, fields: tuple[str, ...], values: Float[np.ndarray, "point field"]) -> Self:
        """The list of points with these fields given and no others."""
        made = cls.__new__(cls)
        made._fields, made._values = fields, np.asarray(values, np.float32)
        return made

    @functools.cached_property
    def landmark(self) -> list[NormalizedLandmark]:
        """The points. Made when first asked for: most programs look at a part or two of each frame."""
        rows = self._values.tolist()
        return [self.element(**dict(zip(self._fields, row, strict=True))) for row in rows]

    def __len__(self) -> int:
        return len(self.landmark)

    def __iter__(self) -> Iterator[NormalizedLandmark]:
        return iter(self.landmark)

    def __getitem__(self, index: int) -> NormalizedLandmark:
        return self.landmark[index]

    def __bool__(self) -> bool:
        return True  # a protocol buffer always is, and code asks `if results.pose_landmarks:`

    def CopyFrom(self, other: "NormalizedLandmarkList") -> None:
        """Takes the points of another list, as points of its own."""
        self.landmark = [self.element(**point.__dict__) for point in other]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.landmark == other.landmark

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return "".join(f"landmark {{\n{_indented(point)}}}\n" for point in self)


class LandmarkList(NormalizedLandmarkList):
    """Points in metres."""

    element = Landmark


def _indented(point: NormalizedLandmark) -> str:
    return "".join(f"  {line}\n" for line in repr(point).splitlines())


def _no_field(point: NormalizedLandmark, *names: str) -> str:
    return f"{type(point).__name__} has no field {', '.join(map(repr, names))}, it has {', '.join(FIELDS)}"
