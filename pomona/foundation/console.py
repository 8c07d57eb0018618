"""What a person sees while work goes on: progress on standard error, and only on a terminal."""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Progress:
    """One bar: how much is done, how fast, how long it will still take. Silent when it has no display."""

    total: float | None
    _display: Any = None
    _row: Any = None
    done: float = 0
    started: float = field(default_factory=time.monotonic)

    def advance(self, amount: float = 1, note: str = "") -> None:
        """Adds to what is done; `note` is shown behind the bar until the next one."""
        self.done += amount
        if self._display is not None:
            self._display.update(self._row, advance=amount, **({"note": note} if note else {}))

    def note(self, text: str) -> None:
        """Shows `text` behind the bar."""
        self.advance(0, text)


class Console:
    """Progress bars that share one display, and single lines beside them; all on standard error.

    Bars show only on a terminal and unless `quiet`; lines show unless `quiet`.
    """

    def __init__(self, *, quiet: bool = False):
        self.quiet = quiet
        self._display: Any = None
        self._open = 0

    @contextlib.contextmanager
    def progress(self, label: str, total: float | None, unit: str = "") -> Iterator[Progress]:
        """A bar for `total` units of work, or an endless one for None; bars nest."""
        if self.quiet or not sys.stderr.isatty():
            yield Progress(total)
            return
        display = self._enter()
        row = display.add_task(label, total=total, unit=unit, note="")
        try:
            yield Progress(total, display, row)
        finally:
            display.remove_task(row)
            self._leave()

    def line(self, text: str) -> None:
        """One line for the person who waits, above the bars."""
        if self.quiet:
            return
        if self._display is not None:
            self._display.console.print(text, highlight=False, markup=False)
        else:
            print(text, file=sys.stderr, flush=True)

    def _enter(self) -> Any:
        if self._display is None:
            self._display = _new_display()
            self._display.start()
        self._open += 1
        return self._display

    def _leave(self) -> None:
        self._open -= 1
        if self._open == 0:
            self._display.stop()
            self._display = None


def _new_display() -> Any:
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Any) -> Text:
            unit = task.fields.get("unit") or "steps"
            return Text(f"{task.speed:.3g} {unit}/s" if task.speed else "", style="dim")

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[note]}"),
        console=RichConsole(stderr=True),
        transient=True,
    )
