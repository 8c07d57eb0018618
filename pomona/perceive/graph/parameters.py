"""Whether a stage's function can be called with the edges that the stage takes."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pomona.perceive.graph.edge_types import fits, type_name
from pomona.perceive.graph.errors import GraphError
from pomona.perceive.graph.stage import Stage

STATE = "state"


def check_parameters(stage: Stage, edges: Mapping[str, Any]) -> None:
    """Raises GraphError where a parameter is missing, unknown, or of a type that its edge cannot have."""
    given = stage.arguments
    if stage.state is not None and STATE in given:
        raise GraphError(f"stage {stage.name!r} has state, so no edge can be its parameter {STATE!r}")
    parameters = _parameters(stage.function)
    if parameters is None:
        return
    _check_given(stage, parameters, {*given, STATE} if stage.state is not None else set(given))
    for name, edge in given.items():
        parameter = parameters.get(name)
        if parameter is not None and not fits(edges[edge], parameter.annotation):
            raise GraphError(
                f"stage {stage.name!r}: parameter {name!r} wants {type_name(parameter.annotation)}, "
                f"got edge {edge!r} of type {type_name(edges[edge])}"
            )


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    try:
        return inspect.signature(function, eval_str=True).parameters
    except (NameError, SyntaxError, AttributeError):
        # annotations written as text that only a type checker can read
        return inspect.signature(function).parameters
    except (ValueError, TypeError):
        return None


def _check_given(stage: Stage, parameters: Mapping[str, inspect.Parameter], given: set[str]) -> None:
    kinds = inspect.Parameter
    by_keyword = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    }
    takes_any = any(parameter.kind is kinds.VAR_KEYWORD for parameter in parameters.values())
    for name in sorted(given - set(by_keyword)):
        if not takes_any:
            raise GraphError(
                f"stage {stage.name!r}: its function has no parameter {name!r} that can be given by name; "
                f"it has: {', '.join(by_keyword) or 'none'}"
            )
    for name, parameter in parameters.items():
        is_collector = parameter.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
        if name not in given and parameter.default is kinds.empty and not is_collector:
            raise GraphError(
                f"stage {stage.name!r}: nothing is given for the parameter {name!r} of its function; "
                f"it takes edges: {', '.join(stage.arguments.values()) or 'none'}"
            )
