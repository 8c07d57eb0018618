"""A trainer that was started somewhere, as the search that started it sees it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from pomona.find.search.trainers.assignment import Assignment


class Started(Protocol):
    """A trainer on its way. It also ends by itself when the search says so in the store."""

    def is_alive(self) -> bool:
        """Whether it is waiting, starting or working; False once it ended, however that was."""
        ...

    def stop(self) -> None:
        """Asks it to save and to end."""
        ...

    def kill(self) -> None:
        """Ends it at once."""
        ...

    def last_words(self) -> str:
        """The last line it said, for a message when it died."""
        ...


Start = Callable[[Assignment, Mapping[str, str | int | float]], Started]
"""From an assignment and what the user told the engine to a trainer on its way."""


def last_line(text: str) -> str:
    """The last line of a text that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing was said"
