"""The interface of everything whose time is taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jaxtyping import Int
from numpy import ndarray

from pomona.compile.stopwatch.library import Library


class Connection(Protocol):
    """What one worker talks to; never used by two threads at once."""

    def answer(self, samples: Int[ndarray, " sample"]) -> Any:
        """The answer to a query that holds these samples of the library. This is what is timed."""
        ...

    def outputs(self, answer: Any) -> Mapping[str, ndarray]:
        """Head → its output, a sample a row, of an answer. Only asked for when quality is measured."""
        ...

    def close(self) -> None:
        """Lets go of what belongs to the connection."""
        ...


@dataclass(frozen=True)
class System:
    """Something that answers queries."""

    name: str
    """How it is called in tables; systems that are compared have different ones."""
    runtime: str
    connect: Callable[[], Connection]
    library: Library
    """The samples that it is asked with, as it reads them."""
