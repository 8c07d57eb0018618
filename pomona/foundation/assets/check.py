"""Whether bytes are the asset that the catalogue describes.

A file that passed is noted in the cache with its size and time of change, and `check_once` does not read it
again until either differs.
"""

import contextlib
import gzip
import hashlib
from pathlib import Path

from pomona.foundation.assets.entries import Asset
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import AssetError, RunError
from pomona.foundation.files import write_bytes


def check_once(asset: Asset, path: Path) -> None:
    """Raises AssetError unless `path` holds the asset; reads it only when it is new or has changed."""
    with contextlib.suppress(OSError):
        if _note_path(asset, path).read_text() == _note(path):
            return
    check_file(asset, path)
    remember(asset, path)


def check_file(asset: Asset, path: Path) -> None:
    """Raises AssetError unless `path` holds the asset."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = file.tell()
    if fault := _fault(asset, size_bytes, digest):
        raise AssetError(f"{path} is not {asset.name}: {fault}; remove or replace it")


def check_content(asset: Asset, content: bytes) -> None:
    """Raises AssetError unless `content` is the asset."""
    if fault := _fault(asset, len(content), hashlib.sha256(content).hexdigest()):
        raise AssetError(f"what is there is not {asset.name}: {fault}")


def gunzip(path: Path) -> bytes:
    """The content of a gzip file. Raises AssetError when it is damaged."""
    try:
        return gzip.decompress(path.read_bytes())
    except (OSError, EOFError, ValueError) as error:
        raise AssetError(f"{path} is no whole gzip file ({error}); remove or replace it") from error


def remember(asset: Asset, path: Path) -> None:
    """Notes that `path` was found right. It only saves time: a cache that cannot be written goes without."""
    with contextlib.suppress(RunError, OSError):
        write_bytes(_note_path(asset, path), _note(path).encode())


def _fault(asset: Asset, size_bytes: int, digest: str) -> str:
    if digest == asset.sha256:
        return ""
    if size_bytes < asset.size_bytes:
        return f"truncated, {size_bytes:,} of {asset.size_bytes:,} bytes"
    return f"SHA-256 {digest[:12]}… where {asset.sha256[:12]}… is wanted"


def _note_path(asset: Asset, path: Path) -> Path:
    key = hashlib.sha256(f"{asset.sha256} {path.absolute()}".encode()).hexdigest()
    return cache_folder() / ".verified" / key[:32]


def _note(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size} {found.st_mtime_ns}"
