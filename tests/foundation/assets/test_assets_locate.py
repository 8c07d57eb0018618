"""Where a copy is found, what is checked, what is left behind."""

import contextlib
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pomona.foundation.assets import check, fetch, locate, status, verify
from pomona.foundation.assets.folders import cache_folder
from pomona.foundation.errors import AssetError, RunError, SettingError

CONTENT = bytes(range(256)) * 40
NAME = "group/a.bin"
PROCESS = """
import sys
from pathlib import Path
from pomona.foundation.assets import download, entries, fetch
entries.CATALOGUE = Path(sys.argv[1])
download.SCHEMES = ("http",)
print(fetch("group/a.bin", progress=lambda line: print(line, file=sys.stderr, flush=True)))
"""


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    folder = tmp_path / "mirror"
    (folder / "group").mkdir(parents=True)
    monkeypatch.setenv("POMONA_MIRROR", f"{tmp_path / 'nowhere'}{os.pathsep}{folder}")
    return folder


def page(web, path="/a.bin", content=CONTENT):
    web.pages[path] = content
    return {"kind": "https", "url": web.address + path}


def one_line(caught: pytest.ExceptionInfo[BaseException]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_mirror_file_is_used_where_it_lies(shelf, mirror):
    shelf.add("group", {"a.bin": CONTENT})
    assert status(NAME) == "absent"
    (mirror / NAME).write_bytes(CONTENT)
    assert status(NAME) == "mirror"
    assert fetch(NAME) == mirror / NAME
    assert shelf.left() == []
    verify(NAME)


def test_a_mirror_needs_no_cache_that_can_be_written(shelf, mirror, monkeypatch):
    shelf.add("group", {"a.bin": CONTENT})
    (mirror / NAME).write_bytes(CONTENT)
    monkeypatch.setenv("POMONA_CACHE", str(mirror / NAME / "below a file"))
    assert fetch(NAME) == mirror / NAME


def test_a_compressed_mirror_file_fills_the_cache(shelf, mirror):
    shelf.add("group", {"a.bin": CONTENT})
    (mirror / f"{NAME}.gz").write_bytes(gzip.compress(CONTENT))
    assert status(NAME) == "mirror"
    assert fetch(NAME) == shelf.cache / NAME
    assert fetch(NAME).read_bytes() == CONTENT
    verify(NAME)


@pytest.mark.parametrize(
    ("content", "fault"), [(CONTENT[:-1], "truncated"), (b"x" * len(CONTENT), "SHA-256"), (b"", "truncated")]
)
def test_a_mirror_with_another_file_is_refused_by_name(shelf, mirror, content, fault):
    shelf.add("group", {"a.bin": CONTENT})
    (mirror / NAME).write_bytes(content)
    for action in (fetch, verify):
        with pytest.raises(AssetError, match=fault) as caught:
            action(NAME)
        assert str(mirror / NAME) in one_line(caught)


def test_a_broken_compressed_mirror_file_is_refused(shelf, mirror):
    shelf.add("group", {"a.bin": CONTENT})
    (mirror / f"{NAME}.gz").write_bytes(gzip.compress(CONTENT)[:-20])
    with pytest.raises(AssetError, match=r"a\.bin\.gz is no whole gzip file"):
        fetch(NAME)
    assert shelf.left() == []


def test_what_is_cached_is_not_asked_for_again(shelf, web):
    shelf.add("group", {"a.bin": CONTENT}, page(web))
    assert fetch(NAME).read_bytes() == CONTENT
    assert status(NAME) == "cached"
    assert fetch(NAME) == shelf.cache / NAME
    assert web.asked == ["/a.bin"]


def test_a_damaged_cached_file_is_replaced(shelf, web):
    shelf.add("group", {"a.bin": CONTENT}, page(web))
    fetch(NAME).write_bytes(CONTENT[:100])
    with pytest.raises(AssetError, match="truncated"):
        verify(NAME)
    assert fetch(NAME).read_bytes() == CONTENT
    assert len(web.asked) == 2


def test_a_file_found_right_is_read_again_only_when_it_changes(shelf, web, monkeypatch):
    shelf.add("group", {"a.bin": CONTENT}, page(web))
    path = fetch(NAME)
    reads = []
    monkeypatch.setattr(check, "check_file", lambda asset, path: reads.append(path))
    fetch(NAME)
    assert reads == []
    os.utime(path, ns=(1, 1))
    fetch(NAME)
    assert reads == [path]


def test_verify_reads_even_what_looks_unchanged(shelf, web):
    shelf.add("group", {"a.bin": CONTENT}, page(web))
    path = fetch(NAME)
    times = path.stat()
    path.write_bytes(b"x" * len(CONTENT))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(AssetError, match="remove or replace it"):
        verify(NAME)


def test_verify_of_an_absent_asset_says_so(shelf):
    shelf.add("group", {"a.bin": CONTENT})
    with pytest.raises(AssetError, match="not on this machine"):
        verify(NAME)


def test_sources_are_tried_in_turn(shelf, web):
    shelf.add("group", {"a.bin": CONTENT}, page(web, "/wrong", b"wrong"), page(web))
    told = []
    assert fetch(NAME, progress=told.append).read_bytes() == CONTENT
    assert web.asked == ["/wrong", "/a.bin"]
    assert any(line.startswith("not from") and "truncated" in line for line in told)


def test_when_no_source_has_it_one_line_names_all_and_nothing_is_left(shelf, web):
    bad = page(web, "/wrong", b"x" * len(CONTENT))
    shelf.add("group", {"a.bin": CONTENT}, bad, {"kind": "https", "url": f"{web.address}/gone"})
    with pytest.raises(AssetError) as caught:
        fetch(NAME)
    message = one_line(caught)
    for part in ("/wrong: what is there is not group/a.bin: SHA-256", "404 Not Found", "POMONA_MIRROR"):
        assert part in message
    assert shelf.left() == []
    assert status(NAME) == "absent"


def test_one_download_serves_its_group(shelf, web, tmp_path):
    package = tmp_path / "package.tar"
    files = {"a.bin": CONTENT, "b.bin": b"b" * 10, "c.bin": b"c" * 10}
    make_tar(package, {**files, "c.bin": b"damaged"})
    web.pages["/package.tar"] = package.read_bytes()
    source = {"kind": "https", "url": f"{web.address}/package.tar", "members": ["{file}"]}
    shelf.add("other", {"b.bin": b"b" * 10}, source)
    shelf.add("group", files, source)
    fetch(NAME)
    assert fetch("group/b.bin").read_bytes() == b"b" * 10
    assert web.asked == ["/package.tar"]
    # a sibling that is not what it should be is not kept, and neither is another group's
    assert shelf.left() == ["group/a.bin", "group/b.bin"]
    with pytest.raises(AssetError, match="truncated"):
        fetch("group/c.bin")


def make_tar(path: Path, files: dict[str, bytes]) -> None:
    import io
    import tarfile

    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def test_a_cache_that_cannot_be_written_is_named(shelf, web, tmp_path, monkeypatch):
    shelf.add("group", {"a.bin": CONTENT}, page(web))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(
        AssetError, match=r"cannot keep group/a\.bin in the cache .*file/cache: .*POMONA_CACHE"
    ) as caught:
        fetch(NAME)
    one_line(caught)


@pytest.mark.parametrize("error", [RunError("the disk is full"), OSError(28, "No space left on device")])
def test_a_full_disk_is_one_line_and_leaves_nothing(shelf, web, monkeypatch, error):
    shelf.add("group", {"a.bin": CONTENT}, page(web))

    def full(path, content):
        raise error

    monkeypatch.setattr(locate, "write_bytes", full)
    with pytest.raises(AssetError, match=r"full; name a folder with room|No space left on device; name"):
        fetch(NAME)
    assert shelf.left() == []


def test_an_interrupt_halfway_leaves_nothing(shelf, web):
    source = page(web, "/slow/a.bin")

    def interrupt(line):
        if "%" in line:
            raise KeyboardInterrupt

    shelf.add("group", {"a.bin": CONTENT}, source)
    web.hold.set()
    with pytest.raises(KeyboardInterrupt):
        fetch(NAME, progress=interrupt)
    assert shelf.left() == []
    assert fetch(NAME).read_bytes() == CONTENT


def test_a_killed_process_leaves_nothing_that_a_later_one_keeps(shelf, web, tmp_path):
    shelf.add("group", {"a.bin": CONTENT}, page(web, "/slow/a.bin"))
    with start(shelf, tmp_path / "log") as process:
        wait_for(lambda: web.asked)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert status(NAME) == "absent"
    assert not any(name == NAME for name in shelf.left())
    web.hold.set()
    assert fetch(NAME).read_bytes() == CONTENT
    assert shelf.left() == [NAME]


def test_two_processes_at_once_share_one_download(shelf, web, tmp_path):
    shelf.add("group", {"a.bin": CONTENT}, page(web, "/slow/a.bin"))
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    with start(shelf, logs[0]) as first, start(shelf, logs[1]) as second:
        wait_for(lambda: web.asked and any("waiting for another process" in log.read_text() for log in logs))
        web.hold.set()
        paths = [process.communicate(timeout=60)[0].strip() for process in (first, second)]
        assert [first.returncode, second.returncode] == [0, 0]
    assert paths == [str(shelf.cache / NAME)] * 2
    assert web.asked == ["/slow/a.bin"]
    assert (shelf.cache / NAME).read_bytes() == CONTENT
    assert shelf.left() == [NAME]


@contextlib.contextmanager
def start(shelf, log):
    command = [sys.executable, "-c", PROCESS, str(shelf.toml)]
    with open(log, "w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_unknown_name_gets_the_nearest_one(shelf):
    shelf.add("group", {"a.bin": CONTENT})
    for action in (fetch, status, verify):
        with pytest.raises(SettingError, match=r"no asset 'group/a.bim'; did you mean 'group/a.bin'"):
            action("group/a.bim")


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("POMONA_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "pomona"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "pomona"
    monkeypatch.setenv("POMONA_CACHE", "~/elsewhere")
    assert cache_folder() == Path.home() / "elsewhere"
