"""The folders in which an asset may lie: the mirrors a user names, and the cache Pomona keeps."""

import os
import sys
from pathlib import Path

from pomona.foundation.assets.entries import Asset


def mirror_file(asset: Asset) -> Path | None:
    """The asset's file in the first folder of POMONA_MIRROR that has it, else the same name with `.gz`."""
    named = os.environ.get("POMONA_MIRROR", "").split(os.pathsep)
    folders = [Path(part).expanduser() for part in named if part]
    candidates = [folder / f"{asset.path}{ending}" for ending in ("", ".gz") for folder in folders]
    return next((path for path in candidates if path.is_file()), None)


def cache_file(asset: Asset) -> Path:
    """The asset's place in the cache, whether it is there or not."""
    return cache_folder() / asset.path


def working_folder(asset: Asset) -> Path:
    """Where downloads of the asset's group lie while they last; beside the cache, so that a rename is one."""
    return cache_folder() / ".fetch" / asset.group


def cache_folder() -> Path:
    """POMONA_CACHE, or the folder `pomona` in this user's cache folder."""
    if chosen := os.environ.get("POMONA_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "pomona" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/pomona"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pomona"
