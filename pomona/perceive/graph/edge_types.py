"""Whether what one stage makes is what another takes, as far as their types tell."""

import inspect
import numbers
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin


def fits(made: Any, wanted: Any) -> bool:
    """False where a value of type `made` cannot be one of type `wanted`; True where it can or nobody knows.

    Understands classes, unions, Literal, generics and jaxtyping's arrays (dtype and shape).

    >>> fits(bool, int | None), fits(list[int], list[str]), fits(int, float), fits(float, int)
    (True, False, True, False)
    """
    if made is wanted or not _is_known(made) or not _is_known(wanted):
        return True
    if _is_union(made):
        return all(fits(member, wanted) for member in get_args(made))
    if _is_union(wanted):
        return any(fits(made, member) for member in get_args(wanted))
    if get_origin(made) is Literal:
        return all(_literal_fits(value, wanted) for value in get_args(made))
    if get_origin(wanted) is Literal:
        return any(fits(made, type(value)) for value in get_args(wanted))
    if not _class_fits(_class_of(made), _class_of(wanted)):
        return False
    if hasattr(made, "dim_str") and hasattr(wanted, "dim_str"):
        return _array_fits(made, wanted)
    given, taken = get_args(made), get_args(wanted)
    if get_origin(made) is not get_origin(wanted) or len(given) != len(taken):
        return True
    return all(fits(a, b) for a, b in zip(given, taken, strict=True) if not isinstance(a, list))


def classes(type_: Any) -> tuple[type, ...] | None:
    """The classes that a value of this type may have, for isinstance; None where that cannot be told."""
    if type_ is None:
        return (types.NoneType,)
    if not _is_known(type_):
        return None
    if _is_union(type_):
        members = [classes(member) for member in get_args(type_)]
        return None if None in members else tuple(c for member in members for c in member or ())
    if get_origin(type_) is Literal:
        return tuple({type(value) for value in get_args(type_)})
    class_ = _class_of(type_)
    if not isinstance(class_, type) or getattr(class_, "_is_protocol", False):
        return None
    # numbers of NumPy are numbers too
    return {float: (numbers.Real,), int: (numbers.Integral,)}.get(class_, (class_,))


def type_name(type_: Any) -> str:
    """A type as one would write it."""
    if type_ in (None, types.NoneType):
        return "None"
    if _is_union(type_):
        return " | ".join(type_name(member) for member in get_args(type_))
    if hasattr(type_, "dim_str") and hasattr(type_, "dtype"):
        return f"{type_.__name__.partition('[')[0]}[{type_.dim_str}]"
    if get_args(type_) and get_origin(type_) is not Literal:
        inside = ", ".join("…" if arg is Ellipsis else type_name(arg) for arg in get_args(type_))
        return f"{type_name(get_origin(type_))}[{inside}]"
    return type_.__name__ if isinstance(type_, type) else str(type_).replace("typing.", "")


def _is_known(type_: Any) -> bool:
    blank = type_ in (Any, object, inspect.Parameter.empty) or isinstance(type_, str)
    return not blank and not isinstance(type_, typing.TypeVar)


def _is_union(type_: Any) -> bool:
    return get_origin(type_) in (Union, types.UnionType)


def _class_of(type_: Any) -> Any:
    if hasattr(type_, "dim_str") and hasattr(type_, "array_type"):
        return type_.array_type
    return types.NoneType if type_ is None else get_origin(type_) or type_


def _class_fits(made: Any, wanted: Any) -> bool:
    if not isinstance(made, type) or not isinstance(wanted, type) or not _is_known(wanted):
        return True
    if getattr(wanted, "_is_protocol", False):
        return True
    promoted = {float: (int,), complex: (int, float)}.get(wanted, ())
    return issubclass(made, (wanted, *promoted))


def _literal_fits(value: Any, wanted: Any) -> bool:
    return value in get_args(wanted) if get_origin(wanted) is Literal else fits(type(value), wanted)


def _array_fits(made: Any, wanted: Any) -> bool:
    # of arrays of any dtype jaxtyping does not list the dtypes
    is_listed = isinstance(made.dtypes, tuple | list) and isinstance(wanted.dtypes, tuple | list)
    if is_listed and not set(made.dtypes) & set(wanted.dtypes):
        return False
    given, taken = made.dim_str.split(), wanted.dim_str.split()
    if any(axis.startswith(("...", "*")) for axis in given + taken):
        return True
    return len(given) == len(taken) and all(
        a == b or not (a.isdigit() and b.isdigit()) for a, b in zip(given, taken, strict=True)
    )
