"""Writes that are whole or absent: a temporary name, synced, then renamed."""

import contextlib
import errno
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pomona.foundation.errors import DataError, RunError


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path` so that a crash leaves the old file or the new one, never a part.

    Raises RunError when the disk is full or the folder cannot be written.
    """
    path = Path(path)
    with _storage_errors(path):
        _make_folder(path.parent)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            # mkstemp makes files private; an artifact is as readable as its surroundings
            Path(temporary).chmod(0o666 & ~_current_umask())
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Writes `value` as indented JSON, whole or not at all. NaN and infinities become null."""
    write_bytes(path, (to_json(value, indent=1) + "\n").encode())


def append_line(path: Path, line: str) -> None:
    """Adds a line to a text file and syncs it. Raises RunError when the disk is full."""
    with _storage_errors(path), open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> list[Any]:
    """The JSON values in a file of lines that `append_line` made, none where there is no file.

    A line that was cut off does not count.
    """
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def to_json(value: Any, *, indent: int | None = None) -> str:
    """`value` as strict JSON: numpy scalars and arrays become numbers and lists, paths text, NaN null."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def read_json(path: Path) -> Any:
    """The JSON value in `path`; json.JSONDecodeError or OSError when there is none."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_text(path: Path) -> str:
    """The text in a user's file. Raises DataError when it cannot be read or is not UTF-8."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start})") from error


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yields a temporary folder that takes the place of `path` when the block ends without an error."""
    path = Path(path)
    with _storage_errors(path):
        _make_folder(path.parent)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        temporary.chmod(0o777 & ~_current_umask())
        try:
            yield temporary
            for file in temporary.rglob("*"):
                if file.is_file():
                    _sync_file(file)
            _replace_folder(temporary, path)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        _sync_folder(path.parent)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileNotFoundError:
        raise RunError(f"cannot make the folder {path}: choose another place") from None


def _replace_folder(new: Path, old: Path) -> None:
    if not old.exists():
        os.rename(new, old)
        return
    # a folder cannot be renamed onto a full one: move it aside first, so that a reader sees one of the two
    aside = Path(tempfile.mkdtemp(dir=old.parent, prefix=f".{old.name}.old."))
    os.rename(old, aside / old.name)
    os.rename(new, old)
    shutil.rmtree(aside, ignore_errors=True)


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    with contextlib.suppress(OSError):
        _sync_file(path)


@contextlib.contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: "the disk is full",
            errno.EDQUOT: "the disk quota is used up",
            errno.EACCES: "no permission to write there",
            errno.EPERM: "no permission to write there",
            errno.EROFS: "it is on a read-only disk",
            errno.ENOTDIR: "a part of the path is a file",
            errno.ENAMETOOLONG: "the name is too long",
        }
        if error.errno not in reasons:
            raise
        raise RunError(
            f"cannot write {path}: {reasons[error.errno]}; nothing half-written is left"
        ) from error


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    raise TypeError(f"no JSON form for {type(value).__name__}")
