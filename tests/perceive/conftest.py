"""Real models and real pictures: fetched once, skipped with the reason where they cannot be had."""

import os
from pathlib import Path

import numpy as np
import pytest

from pomona.foundation.assets import fetch
from pomona.foundation.errors import AssetError


@pytest.fixture(scope="session")
def asset():
    """A function from an asset's name to its path; one that cannot be had skips, or fails in CI."""

    def find(name: str) -> Path:
        try:
            return fetch(name)
        except AssetError as error:
            if os.environ.get("POMONA_TESTS_MUST_RUN"):
                raise
            pytest.skip(f"{name} cannot be had here: {error}")

    return find


@pytest.fixture(scope="session")
def photo(asset):
    """A function from an asset's name to its pixels, RGB."""
    from PIL import Image

    return lambda name: np.asarray(Image.open(asset(name)).convert("RGB"))
