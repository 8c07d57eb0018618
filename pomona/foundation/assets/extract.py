"""Files out of downloads: wheels, tar archives and Debian packages are read, never unpacked to disk."""

import gzip
import io
import lzma
import pickle
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

from pomona.foundation.assets.convert import CONVERSIONS
from pomona.foundation.assets.entries import Asset, Source
from pomona.foundation.errors import AssetError, InputError

DAMAGED = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, EOFError, lzma.LZMAError, zlib.error)
UNEXPECTED = (ValueError, TypeError, LookupError, AttributeError, OSError, pickle.UnpicklingError, *DAMAGED)


def make_file(asset: Asset, source: Source, container: Path) -> bytes:
    """The asset's content as `source` says to make it from its download. Raises AssetError with the reason.

    Nothing is promised about the content yet: compare its hash.
    """
    try:
        parts = _read(container, source.members) if source.members else [container.read_bytes()]
        if source.unpack == "gzip":
            parts = [gzip.decompress(part) for part in parts]
    except DAMAGED as error:
        raise AssetError(f"the download is damaged ({error}); try again") from error
    if not source.convert:
        return parts[0]
    try:
        return CONVERSIONS[source.convert](parts, asset.name.partition("/")[2])
    except UNEXPECTED as error:
        if isinstance(error, InputError):
            raise
        raise AssetError(f"the download has another form than {source.convert} expects ({error})") from error


def _read(container: Path, members: tuple[str, ...]) -> list[bytes]:
    """The content of each member of an archive; memory: all of them."""
    if container.suffix == ".whl":
        found = _from_zip(container, members)
    elif container.suffix == ".deb":
        with _open_deb(container) as archive:
            found = _from_tar(archive, members)
    else:
        with tarfile.open(container) as archive:
            found = _from_tar(archive, members)
    for member in members:
        if member not in found:
            raise AssetError(f"there is no {member} in {container.name}")
    return [found[member] for member in members]


def _from_zip(container: Path, members: tuple[str, ...]) -> dict[str, bytes]:
    with zipfile.ZipFile(container) as archive:
        return {name: archive.read(name) for name in set(members) & set(archive.namelist())}


def _from_tar(archive: tarfile.TarFile, members: tuple[str, ...]) -> dict[str, bytes]:
    found = {}
    for info in archive:
        name = info.name.removeprefix("./")
        if name in members and (file := archive.extractfile(info)) is not None:
            found[name] = file.read()
        if len(found) == len(members):
            break
    return found


def _open_deb(container: Path) -> tarfile.TarFile:
    """The data archive of a Debian package, which is an `ar` archive of three members."""
    content = container.read_bytes()
    if not content.startswith(b"!<arch>\n"):
        raise AssetError(f"{container.name} is not a Debian package")
    position = 8
    while position + 60 <= len(content):
        name = content[position : position + 16].decode("latin-1").rstrip(" /")
        size = int(content[position + 48 : position + 58])
        position += 60
        if name == "data.tar.zst":
            return tarfile.open(fileobj=io.BytesIO(_unpack_zstd(container)))
        if name.startswith("data.tar"):
            return tarfile.open(fileobj=io.BytesIO(content[position : position + size]))
        position += size + size % 2
    raise AssetError(f"{container.name} is truncated: it has no data archive")


def _unpack_zstd(container: Path) -> bytes:
    # zstd came to the standard library with Python 3.14; where there is apt-get there is dpkg-deb
    tool = shutil.which("dpkg-deb")
    if tool is None:
        raise AssetError(f"{container.name} is packed with zstd, which needs dpkg-deb: install dpkg")
    result = subprocess.run([tool, "--fsys-tarfile", str(container)], capture_output=True, check=False)
    if result.returncode:
        raise AssetError(
            f"dpkg-deb cannot read {container.name}: {result.stderr.decode(errors='replace').strip()}"
        )
    return result.stdout
