"""The catalogue of assets: what each is, its licence, its hash, and the places that have it.

`assets.toml` holds one table a group. The files of a group share its sources, in which `{file}` stands for
the file's name, `{stem}` for that name without its ending and `{folder}` for the folder that its entry names.
"""

import functools
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pomona.foundation.errors import unknown_name

CATALOGUE = Path(__file__).parent.parent / "assets.toml"


@dataclass(frozen=True)
class Source:
    """One place that has a file, whole or as something it can be made from."""

    kind: str  # wheel, npm, deb or https
    package: str = ""
    version: str = ""  # exact; empty for deb, where the machine's release decides and the hash guards
    url: str = ""
    members: tuple[str, ...] = ()  # paths inside the download; none: the download itself
    unpack: str = ""  # "gzip" when each member is compressed once more
    convert: str = ""  # a name in convert.CONVERSIONS when the members are not yet the file
    python_version: str = ""  # these three fix which wheel is asked for; empty: this machine's
    abi: str = ""
    platform: str = ""

    @property
    def label(self) -> str:
        """The source in words, for messages."""
        if self.kind == "https":
            return self.url
        return " ".join(filter(None, (self.kind, self.package, self.version)))

    @property
    def download(self) -> "Source":
        """What is downloaded, without what is then taken from it: equal for files of one package."""
        return replace(self, members=(), unpack="", convert="")


@dataclass(frozen=True)
class Asset:
    """One file: `path` is its place below a mirror or the cache, `sha256` and `size_bytes` are the file's."""

    name: str
    what: str
    licence: str
    conditions: str
    size_bytes: int
    sha256: str
    path: str
    sources: tuple[Source, ...]

    @property
    def group(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def size(self) -> str:
        """The size for a reader: "47.0 MB", "10.0 kB"."""
        return (
            f"{self.size_bytes / 1e6:.1f} MB" if self.size_bytes >= 1e6 else f"{self.size_bytes / 1e3:.1f} kB"
        )


def catalogue() -> dict[str, Asset]:
    """All assets by name, in the catalogue's order.

    >>> catalogue()["mnist/train-labels-idx1-ubyte"].size_bytes
    60008
    """
    return dict(_read(CATALOGUE))


def named(*names: str) -> tuple[str, ...]:
    """The assets that `names` mean: each the name of one, or of a group. Raises SettingError for any other.

    >>> named("letters")
    ('letters/letter-recognition.data',)
    """
    known = catalogue()
    groups = {asset.group for asset in known.values()}
    for name in names:
        if name not in known and name not in groups:
            raise unknown_name("asset", name, [*groups, *known])
    return tuple(
        asset.name for name in names for asset in known.values() if name in (asset.name, asset.group)
    )


@functools.cache
def _read(path: Path) -> dict[str, Asset]:
    with open(path, "rb") as file:
        groups = tomllib.load(file)
    assets = [_asset(group, name, table) for group, table in groups.items() for name in table["files"]]
    return {asset.name: asset for asset in assets}


def _asset(group: str, file: str, table: dict[str, Any]) -> Asset:
    entry = {"what": table["what"], **table["files"][file]}
    folder = entry.pop("folder", "")
    name = f"{group}/{file}"
    return Asset(
        name=name,
        licence=table["licence"],
        conditions=table["conditions"],
        path=name,
        sources=tuple(_source(source, file, folder) for source in table["sources"]),
        **entry,
    )


def _source(plain: dict[str, Any], file: str, folder: str) -> Source:
    unknown = plain.keys() - {field.name for field in fields(Source)}
    assert not unknown, f"assets.toml: a source has no {', '.join(sorted(unknown))}"
    names = {"file": file, "stem": PurePosixPath(file).stem, "folder": folder}
    members = tuple(member.format(**names) for member in plain.get("members", ()))
    return Source(**{**plain, "url": plain.get("url", "").format(**names), "members": members})
