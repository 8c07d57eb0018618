"""Arguments of blocks: names, types and ranges are read from the block function's signature."""

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pomona.foundation.errors import SpecError, unknown_name

INJECTED = "blocks"
"""A parameter that build fills, not the network description: the table of blocks."""


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
            raise SpecError(f"argument {name!r} is missing: give {_wanted(annotation)}")
        result[name] = _checked(name, args[name], annotation) if name in args else default
    return result


@cache
def parameters_of(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Name → (annotation, default) of a block's arguments, without its signal and what build injects."""
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return {p.name: (hints.get(p.name, Any), p.default) for p in parameters if p.name != INJECTED}


@cache
def wants_blocks(function: Callable[..., Any]) -> bool:
    """Whether the block function is given the table of blocks."""
    return INJECTED in inspect.signature(function).parameters


def _checked(name: str, value: Any, annotation: Any) -> Any:
    value = tuple(value) if isinstance(value, list) else value
    if type(value) is int and _bare(annotation) is float:
        value = float(value)
    if not _fits(value, annotation):
        raise SpecError(f"argument {name!r} is {_wanted(annotation)}, got {value!r}")
    return value


def _fits(value: Any, annotation: Any) -> bool:
    if annotation is Any:
        return True
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _fits(value, parts[0]) and all(part.low <= value <= part.high for part in _ranges(annotation))
    if origin is Literal:
        return any(value == part and type(value) is type(part) for part in parts)
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, parts[0]) for item in value)
    if annotation in (int, float, bool, str):
        return type(value) is annotation
    return isinstance(value, origin or annotation)


def _wanted(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = [f" from {bound.low:g} to {bound.high:g}" for bound in _ranges(annotation)]
        return _wanted(parts[0]) + "".join(bounds)
    if origin is Literal:
        return "one of " + ", ".join(map(str, parts))
    if origin in (Union, types.UnionType):
        return " or ".join(_wanted(part) for part in parts)
    if origin is tuple:
        return "a list"
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    names |= {type(None): "null", dict: "an object"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _ranges(annotation: Any) -> list[Range]:
    return [part for part in get_args(annotation)[1:] if isinstance(part, Range)]
