"""The log of decisions that hang on a clock or on who comes first, one JSON object a line."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pomona.foundation.files import append_line, to_json

T = TypeVar("T")


class Decisions:
    """An append-only log; a decision in it is not made again, so that a resumed run repeats itself.

    Those in the logs `known`, which others may be writing, count as made too, of several the first.
    """

    def __init__(self, path: Path, *, known: Iterable[Path] = ()):
        self.path = path
        self._made = _read(path)
        for other in known:
            self._made = {**_read(other, mend=False), **self._made}

    def __contains__(self, decision: tuple[str, str]) -> bool:
        """Whether the decision of that kind and key was made."""
        return decision in self._made

    def decide(self, kind: str, key: str, compute: Callable[[], T]) -> T:
        """The logged value of (kind, key), or what `compute` says now, logged and synced to disk."""
        if (kind, key) not in self._made:
            line = to_json({"kind": kind, "key": key, "value": compute()})
            append_line(self.path, line)
            self._made[kind, key] = json.loads(line)["value"]
        return self._made[kind, key]


def _read(path: Path, *, mend: bool = True) -> dict[tuple[str, str], Any]:
    """The decisions in a log. A last line that a crash cut off was not acted on: it is dropped."""
    if not path.exists():
        return {}
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if mend and len(whole) < len(content):
        os.truncate(path, len(whole))
    entries = [json.loads(line) for line in whole.decode().splitlines() if line]
    return {(entry["kind"], entry["key"]): entry["value"] for entry in entries}
