import os
from pathlib import Path

import pytest

from pomona.foundation.assets import catalogue, status

SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture
def assets(monkeypatch, tmp_path_factory):
    """A function that skips the test unless all assets of a group are on this machine."""
    if SHARED.is_dir() and "POMONA_MIRROR" not in os.environ:
        monkeypatch.setenv("POMONA_MIRROR", str(SHARED))
        if "POMONA_CACHE" not in os.environ:  # what is unpacked from the mirror stays out of the user's cache
            monkeypatch.setenv("POMONA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))

    def need(group: str) -> None:
        names = [name for name in catalogue() if name.startswith(f"{group}/")]
        assert names
        if any(status(name) == "absent" for name in names):
            pytest.skip(f"the assets {group} are not on this machine")

    return need
