"""Whether the files of an artifact are the ones that were written, and paths that stay inside its folder."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pomona.foundation.errors import ArtifactError

_COPY_AGAIN = "copy the artifact again from where it was made"


def make_manifest(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of each file."""
    return {
        name: {"sha256": file_sha256(folder / name), "size_bytes": (folder / name).stat().st_size}
        for name in sorted(names)
    }


def check_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Raises ArtifactError unless every listed file is there, whole and unchanged; others may be there."""
    for name, entry in manifest.items():
        path = inside(folder, name)
        if not isinstance(entry, dict) or not isinstance(entry.get("sha256"), str):
            raise ArtifactError(
                f"{folder / 'artifact.json'}: the manifest has no SHA-256 for {name!r}; {_COPY_AGAIN}"
            )
        if not path.is_file():
            raise ArtifactError(f"{path} is missing: {_COPY_AGAIN}")
        wanted, got = entry.get("size_bytes"), path.stat().st_size
        if wanted is not None and got != wanted:
            reason = "is truncated" if got < wanted else "has grown"
            raise ArtifactError(f"{path} {reason}: {wanted} bytes were written, it has {got}; {_COPY_AGAIN}")
        if file_sha256(path) != entry["sha256"]:
            raise ArtifactError(
                f"{path} was changed after the artifact was written (its SHA-256 differs); {_COPY_AGAIN}"
            )


def inside(folder: Path, name: str) -> Path:
    """The path of `name` in `folder`. Raises ArtifactError when it leads outside, also through a link."""
    parts = PurePosixPath(name).parts if isinstance(name, str) else ()
    plain = bool(parts) and all(
        re.fullmatch(r"[\w.\- ]+", part) and part not in (".", "..") for part in parts
    )
    if not plain or (folder / name).resolve() != folder.resolve().joinpath(*parts):
        raise ArtifactError(f"{folder}: {name!r} is no path inside the artifact; do not use this artifact")
    return folder / name


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content in hexadecimal. Raises ArtifactError when it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error
