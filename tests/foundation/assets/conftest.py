"""A catalogue of a test's own, and stand-ins for the clients that downloads go through."""

import hashlib
import http.server
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pomona.foundation.assets import download, entries


@dataclass
class Shelf:
    """A catalogue that grows; `add` writes it anew."""

    toml: Path
    cache: Path
    groups: dict[str, tuple[dict[str, bytes], list[dict]]] = field(default_factory=dict)

    def add(self, group: str, files: dict[str, bytes], *sources: dict) -> None:
        self.groups[group] = (files, list(sources))
        self.toml.write_text("\n".join(map(self._table, self.groups)))
        entries._read.cache_clear()

    def _table(self, group: str) -> str:
        files, sources = self.groups[group]
        lines = [f"[{group}]", 'what = "a test"', 'licence = "CC0"', 'conditions = ""']
        lines += [] if sources else ["sources = []"]
        lines.append(f"[{group}.files]")
        for name, content in files.items():
            digest = hashlib.sha256(content).hexdigest()
            lines.append(f'"{name}" = {{ size_bytes = {len(content)}, sha256 = "{digest}" }}')
        for source in sources:
            lines.append(f"[[{group}.sources]]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in source.items()]
        return "\n".join(lines)

    def left(self) -> list[str]:
        """All files in the cache but locks and notes."""
        found = [path for path in self.cache.rglob("*") if path.is_file() or "download" in path.name]
        names = [path.relative_to(self.cache).as_posix() for path in found]
        return sorted(
            name for name in names if not name.endswith(".lock") and not name.startswith(".verified")
        )


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    made = Shelf(tmp_path / "catalogue.toml", tmp_path / "cache")
    monkeypatch.setattr(entries, "CATALOGUE", made.toml)
    monkeypatch.setenv("POMONA_CACHE", str(made.cache))
    monkeypatch.delenv("POMONA_MIRROR", raising=False)
    yield made
    entries._read.cache_clear()


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a shell script under a program's name first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return put


@dataclass
class Web:
    """A server on this machine: what it has by path, and which paths were asked for."""

    address: str
    pages: dict[str, bytes]
    asked: list[str]
    promised: dict[str, int]  # a Content-Length that is not the true one
    hold: threading.Event  # an answer to /slow/… waits halfway for it


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(download, "SCHEMES", ("http", "https"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Web("", {}, [], {}, threading.Event())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            if self.path not in made.pages:
                self.send_error(404, "Not Found")
                return
            content = made.pages[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(made.promised.get(self.path, len(content))))
            self.end_headers()
            half = len(content) // 2
            self.wfile.write(content[:half])
            self.wfile.flush()
            if self.path.startswith("/slow/"):
                made.hold.wait(30)
            self.wfile.write(content[half:])

        def log_message(self, *arguments: object) -> None:
            """Keeps the test's output clean."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.hold.set()
    server.shutdown()
    server.server_close()
    thread.join()
