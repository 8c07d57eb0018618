"""What tells a source from another: its content, not its name or date."""

import hashlib
from pathlib import Path

from pomona.foundation.errors import DataError

END_BYTES = 1 << 20
"""Read at both ends of a large file: a video of an hour is told from another without reading all of it."""


def source_fingerprint(path: Path) -> str:
    """Sixteen hex digits that stand for a file, or for the names and sizes of the files in a folder."""
    digest = hashlib.sha256()
    try:
        if path.is_dir():
            for file in sorted(entry for entry in path.iterdir() if entry.is_file()):
                digest.update(f"{file.name}\0{file.stat().st_size}\0".encode("utf-8", "surrogateescape"))
        else:
            _add_file(digest, path)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    return digest.hexdigest()[:16]


def _add_file(digest: "hashlib._Hash", path: Path) -> None:
    size_bytes = path.stat().st_size
    digest.update(f"{size_bytes}\0".encode())
    with path.open("rb") as file:
        digest.update(file.read(END_BYTES))
        file.seek(max(0, size_bytes - END_BYTES))
        digest.update(file.read(END_BYTES))
