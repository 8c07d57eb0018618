"""One process a folder: an advisory lock that ends with its process, however that dies."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pomona.foundation.errors import RunError

try:
    import fcntl
except ImportError:  # Windows has no flock; a second process in one folder is then not noticed
    fcntl = None


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Holds `folder` for this process while the block lasts. Raises RunError when another one holds it."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
                raise RunError(
                    f"process {holder} is working in {folder}: wait for it or choose another --out"
                ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
