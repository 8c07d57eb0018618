"""The flags that verbs share."""

from typing import Annotated, Any

from cyclopts import Parameter

from pomona.foundation.command import CommandOptions
from pomona.tasks.options import DataOptions

Flat = Parameter(name="*")

Options = Annotated[CommandOptions, Flat]
Data = Annotated[DataOptions, Flat]
Json = Annotated[bool, Parameter(help="Print exactly one JSON object on standard output.")]


def settings_of(kind: type) -> Any:
    """The annotation that turns the fields of a settings dataclass into flags."""
    return Annotated[kind, Flat]
