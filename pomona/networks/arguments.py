"""Arguments of blocks: names, types and ranges are read from the block function's signature."""

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pomona.foundation.errors import SpecError, unknown_name

INJECTED = ("blocks",)
"""Parameters that build fills, not the network description."""


@dataclass(frozen=True)
class Range:
    """Bounds of a number, both allowed."""

    low: float
    high: float


Width = Annotated[int, Range(1, 65536)]
Kernel = Annotated[int, Range(1, 255)]
Factor = Annotated[int, Range(1, 64)]
Dropout = Annotated[float, Range(0.0, 0.95)]


def filled(function: Callable[..., Any], args: Mapping[str, Any]) -> dict[str, Any]:
    """`args` with the defaults of the others, in the signature's order.

    Raises SpecError for an unknown or missing argument, a wrong type, or a value out of range.
    """
    wanted = parameters_of(function)
    for name in args:
        if name not in wanted:
            raise SpecError(str(unknown_name("argument", name, wanted)))
    result = {}
    for name, (annotation, default) in wanted.items():
        if name not in args and default is inspect.Parameter.empty:
            raise SpecError(f"argument {name!r} is missing")
        result[name] = _checked(name, args[name], annotation) if name in args else default
    return result


@cache
def parameters_of(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Name → (annotation, default) of a block's arguments, without its signal and what build injects."""
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {p.name: (hints.get(p.name, Any), p.default) for p in parameters if p.name not in INJECTED}


def _checked(name: str, value: Any, annotation: Any) -> Any:
    value = _converted(value, annotation)
    if not _fits(value, annotation):
        raise SpecError(f"argument {name!r} is {_wanted(annotation)}, got {value!r}")
    return value


def _converted(value: Any, annotation: Any) -> Any:
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if bare is float and type(value) is int:
        return float(value)
    return tuple(value) if isinstance(value, list) else value


def _fits(value: Any, annotation: Any) -> bool:
    if annotation is Any:
        return True
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = [part for part in parts[1:] if isinstance(part, Range)]
        return _fits(value, parts[0]) and all(bound.low <= value <= bound.high for bound in bounds)
    if origin is Literal:
        return value in parts and type(value) in {type(part) for part in parts}
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, parts[0]) for item in value)
    if annotation is None or annotation is type(None):
        return value is None
    if annotation in (int, float, bool, str):
        return type(value) is annotation
    return isinstance(value, origin or annotation)


def _wanted(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = next((part for part in parts[1:] if isinstance(part, Range)), None)
        return _wanted(parts[0]) + (f" from {bounds.low:g} to {bounds.high:g}" if bounds else "")
    if origin is Literal:
        return "one of " + ", ".join(map(str, parts))
    if origin in (Union, types.UnionType):
        return " or ".join(_wanted(part) for part in parts)
    names = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text",
        type(None): "null",
    }
    return names.get(
        annotation, "a list of numbers" if origin is tuple else getattr(annotation, "__name__", "other")
    )
