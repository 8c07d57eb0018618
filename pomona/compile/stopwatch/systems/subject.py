"""What is measured, from what the user wrote: artifact, file, address, function or command."""

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pomona.foundation.artifact import is_artifact
from pomona.foundation.artifact.foreign import what_it_looks_like
from pomona.foundation.errors import ArtifactError, SettingError

Kind = Literal["artifact", "file", "address", "function", "command"]

FILES = (".onnx", ".tflite")


@dataclass(frozen=True)
class Subject:
    """What is measured."""

    kind: Kind
    text: str
    """As the user wrote it."""
    words: tuple[str, ...] = ()
    """Of a command."""

    @property
    def path(self) -> Path:
        """Of an artifact or a file."""
        return Path(self.text)


def parse_all(words: tuple[str, ...]) -> list[Subject]:
    """The subjects behind the words on a command line: several when each word is one, else one command.

    >>> [one.kind for one in parse_all(("numpy:sum", "numpy:mean"))], parse_all(("cat", "-"))[0].kind
    (['function', 'function'], 'command')
    """
    if len(words) > 1:
        each = [_single(word) for word in words]
        if None not in each:
            return [subject for subject in each if subject is not None]
    return [parse(words)]


def parse(words: tuple[str, ...]) -> Subject:
    """The subject behind the words of one. Raises InputError when they are none of the five kinds.

    >>> parse(("http://127.0.0.1:8000/predict",)).kind, parse(("numpy:sum",)).kind, parse(("cat", "-")).kind
    ('address', 'function', 'command')
    """
    text = " ".join(words).strip()
    if not text:
        raise SettingError(
            "bench wants what to measure: an artifact, a .onnx or .tflite file, an address, "
            "module:function, or a command"
        )
    found = _single(text) if len(words) == 1 else None
    if found is None and len(words) == 1 and Path(text).is_dir():
        raise ArtifactError(f"no artifact: {what_it_looks_like(Path(text))}")
    return found or _command(text, words)


def _single(text: str) -> Subject | None:
    """What one word names; None when it can only be a command's."""
    if text.startswith(("http://", "https://")):
        if not urlsplit(text).hostname:
            raise SettingError(f"{text} is no address: http://HOST:PORT/PATH is wanted")
        return Subject("address", text)
    if is_artifact(text):
        return Subject("artifact", text)
    if Path(text).suffix in FILES:
        if not Path(text).is_file():
            raise ArtifactError(f"no such file: {text}")
        return Subject("file", text)
    if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", text):
        return Subject("function", text)
    return None


def _command(text: str, words: tuple[str, ...]) -> Subject:
    try:
        parts = words if len(words) > 1 else tuple(shlex.split(text))
    except ValueError as error:
        raise SettingError(f"the command {text!r} cannot be split into words: {error}") from error
    if not parts or shutil.which(parts[0]) is None:
        raise SettingError(
            f"{text!r} is no artifact, .onnx or .tflite file, address or module:function, and no program "
            f"is called {(parts or ('',))[0]!r}"
        )
    return Subject("command", text, parts)
