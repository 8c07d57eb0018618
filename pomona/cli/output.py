"""How a verb answers: one JSON object on standard output, or a few lines for a person."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pomona.foundation.files import to_json


class Answer:
    """Prints a verb's result. With `as_json`, standard output holds that one object and nothing else."""

    def __init__(self, *, as_json: bool):
        self.as_json = as_json
        self._descriptor = 1

    def give(self, result: Mapping[str, Any], lines: list[str]) -> None:
        """Prints `result` as JSON, or `lines` for a person."""
        text = to_json(result) if self.as_json else "\n".join(lines)
        os.write(self._descriptor, (text + "\n").encode())


@contextmanager
def answer(*, as_json: bool) -> Iterator[Answer]:
    """An Answer; with `as_json` descriptor 1 leads to standard error while libraries run."""
    reply = Answer(as_json=as_json)
    if not as_json:
        yield reply
        return
    sys.stdout.flush()
    reply._descriptor = os.dup(1)
    os.dup2(2, 1)
    try:
        yield reply
    finally:
        sys.stdout.flush()
        os.dup2(reply._descriptor, 1)
        os.close(reply._descriptor)


def rows(table: list[tuple[Any, ...]]) -> list[str]:
    """A table for a person: columns aligned, two spaces between them."""
    texts = [[_text(cell) for cell in row] for row in table]
    widths = [max(len(row[i]) for row in texts) for i in range(len(texts[0]))] if texts else []
    return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in texts]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
