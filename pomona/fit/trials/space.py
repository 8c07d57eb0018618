"""Spaces of settings as plain data: what a search may choose, by name."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float as FloatArray

from pomona.foundation.errors import SettingError
from pomona.foundation.files import to_json
from pomona.foundation.randomness import stream_seed

Point = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """One of some texts, numbers, truths or None; neighbours are all others."""

    options: tuple[str | int | float | bool | None, ...]

    def __post_init__(self) -> None:
        if not all(option is None or isinstance(option, str | int | float) for option in self.options):
            raise SettingError(f"an option is text, a number, a truth or None, got {self.options}")
        if not self.options or len({repr(option) for option in self.options}) < len(self.options):
            raise SettingError(f"a choice needs options that differ, got {self.options}")


@dataclass(frozen=True)
class Float:
    """A number from low to high, both included, evenly spread or evenly in its logarithm."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high, self.log)


@dataclass(frozen=True)
class Int:
    """A whole number from low to high, both included, evenly spread or evenly in its logarithm."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high, self.log)


Parameter = Choice | Float | Int


@dataclass(frozen=True)
class Space:
    """Named parameters that are chosen independently; a point gives each a value.

    >>> space = Space({"width": Choice((32, 64)), "rate": Float(1e-4, 1e-2, log=True)})
    >>> space.contains({"width": 64, "rate": 1e-3}), space.contains({"width": 48, "rate": 1e-3})
    (True, False)
    """

    parameters: Mapping[str, Parameter]

    def sample(self, generator: np.random.Generator) -> Point:
        """A point drawn evenly."""
        return {name: _draw(parameter, generator) for name, parameter in self.parameters.items()}

    def mutate(self, point: Mapping[str, Any], generator: np.random.Generator) -> Point:
        """`point` with exactly one parameter moved to another value: options are drawn anew, numbers take a
        step of a normal distribution whose deviation is a fifth of the range.

        Raises SettingError when the space holds a single point.
        """
        movable = [name for name, parameter in self.parameters.items() if not _is_single(parameter)]
        if not movable:
            raise SettingError("this space holds a single point: there is nothing to mutate")
        name = movable[int(generator.integers(len(movable)))]
        return {**point, name: _move(self.parameters[name], point[name], generator)}

    def neighbours(self, point: Mapping[str, Any]) -> list[Point]:
        """All points one step away: every other option, the next whole numbers, a tenth of the range."""
        return [
            {**point, name: value}
            for name, parameter in self.parameters.items()
            for value in _next_values(parameter, point[name])
        ]

    def key(self, point: Mapping[str, Any]) -> str:
        """A text that is equal for equal points, however their parameters are ordered, and for no others."""
        return f"{stream_seed(0, 'point', to_json(dict(sorted(point.items())))):016x}"

    def features(self, point: Mapping[str, Any]) -> FloatArray[np.ndarray, " feature"]:
        """The point as numbers from 0 to 1: a one for the option taken, a number's place in its range.

        Parameters that can only have one value have no feature.
        """
        numbers = [
            number
            for name, parameter in self.parameters.items()
            if not _is_single(parameter)
            for number in _numbers(parameter, point[name])
        ]
        return np.array(numbers, np.float64)

    def contains(self, point: Mapping[str, Any]) -> bool:
        """Whether `point` names every parameter, and no other, with a value it can have."""
        return set(point) == set(self.parameters) and all(
            _holds(parameter, point[name]) for name, parameter in self.parameters.items()
        )

    def to_json(self) -> dict[str, Any]:
        """The space as plain data."""
        return {
            name: {"kind": type(parameter).__name__.lower(), **asdict(parameter)}
            for name, parameter in self.parameters.items()
        }

    @staticmethod
    def from_json(plain: Mapping[str, Mapping[str, Any]]) -> "Space":
        """The space that `to_json` wrote."""
        kinds = {"choice": Choice, "float": Float, "int": Int}
        parameters = {}
        for name, entry in plain.items():
            fields = {key: tuple(v) if key == "options" else v for key, v in entry.items() if key != "kind"}
            parameters[name] = kinds[entry["kind"]](**fields)
        return Space(parameters)


def _check_bounds(low: float, high: float, log: bool) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise SettingError(f"a range goes from a lower to a higher finite number, got {low} to {high}")
    if log and low <= 0:
        raise SettingError(f"a logarithmic range needs a positive lower end, got {low}")


def _draw(parameter: Parameter, generator: np.random.Generator) -> Any:
    if isinstance(parameter, Choice):
        return parameter.options[int(generator.integers(len(parameter.options)))]
    return _at(parameter, generator.random())


def _move(parameter: Parameter, value: Any, generator: np.random.Generator) -> Any:
    if isinstance(parameter, Choice):
        others = [option for option in parameter.options if option != value]
        return others[int(generator.integers(len(others)))]
    while True:
        moved = _at(parameter, _place(parameter, value) + 0.2 * generator.standard_normal())
        if moved != value:
            return moved


def _next_values(parameter: Parameter, value: Any) -> list[Any]:
    if isinstance(parameter, Choice):
        return [option for option in parameter.options if option != value]
    if isinstance(parameter, Int):
        return [near for near in (value - 1, value + 1) if parameter.low <= near <= parameter.high]
    near = [_at(parameter, _place(parameter, value) + step) for step in (-0.1, 0.1)]
    return [moved for moved in near if moved != value]


def _holds(parameter: Parameter, value: Any) -> bool:
    if isinstance(parameter, Choice):
        return any(value == option and type(value) is type(option) for option in parameter.options)
    if isinstance(value, bool) or not isinstance(value, int if isinstance(parameter, Int) else int | float):
        return False
    return parameter.low <= value <= parameter.high


def _is_single(parameter: Parameter) -> bool:
    return len(parameter.options) == 1 if isinstance(parameter, Choice) else parameter.low == parameter.high


def _numbers(parameter: Parameter, value: Any) -> list[float]:
    if isinstance(parameter, Choice):
        return [float(value == option and type(value) is type(option)) for option in parameter.options]
    return [_place(parameter, value)]


def _place(parameter: Float | Int, value: float) -> float:
    """Where in its range a value is, from 0 to 1."""
    low, high = _ends(parameter)
    return ((math.log(value) if parameter.log else value) - low) / (high - low)


def _at(parameter: Float | Int, place: float) -> float | int:
    """The value at a place of the range; places outside 0 to 1 give its ends."""
    low, high = _ends(parameter)
    value = low + min(max(place, 0.0), 1.0) * (high - low)
    value = math.exp(value) if parameter.log else value
    if isinstance(parameter, Int):
        value = round(value)
    return min(max(value, parameter.low), parameter.high)


def _ends(parameter: Float | Int) -> tuple[float, float]:
    # a whole number owns the half units around it, so that the first and last are as likely as the others
    margin = 0.5 if isinstance(parameter, Int) else 0.0
    low, high = parameter.low - margin, parameter.high + margin
    return (math.log(max(low, 1e-300)), math.log(high)) if parameter.log else (low, high)
