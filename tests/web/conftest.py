"""Servers in processes of their own, and a clip for the fake camera."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

STAND_IN = Path(__file__).with_name("live_stand_in.py")


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path_factory, monkeypatch):
    """Servers that are killed leave their recordings; here they go with the test's folders."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    monkeypatch.setenv("TMPDIR", folder)
    monkeypatch.setattr(tempfile, "tempdir", folder)


@pytest.fixture
def serve():
    """Starts the application with the stand-in for Holistic, and gives its port; `serve.stop()` kills it."""
    with contextlib.ExitStack() as stack:

        def start(*, port: int = 0, token: str = "", **limits) -> int:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, STAND_IN, str(port), token, json.dumps(limits)],
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "POMONA_THREADS": "1"},
                )
            )
            stack.callback(process.kill)
            start.stop = process.kill
            return int(process.stdout.readline())

        yield start


@pytest.fixture(scope="session")
def video():
    """The sample video: a man leaps on a roof."""
    from pomona.foundation.assets import fetch
    from pomona.foundation.errors import AssetError

    try:
        return fetch("sports2d-samples/demo.mp4")
    except AssetError as error:
        if os.environ.get("POMONA_TESTS_MUST_RUN"):
            raise
        pytest.skip(f"the sample video cannot be had here: {error}")


@pytest.fixture(scope="session")
def clip(video, tmp_path_factory):
    """A Motion JPEG file of the video's first second, for Chromium's fake camera."""
    import av

    path = tmp_path_factory.mktemp("camera") / "clip.mjpeg"
    with av.open(str(video)) as container, open(path, "wb") as file:
        for frame in itertools.islice(container.decode(video=0), 30):
            frame.to_image(width=960, height=540).save(file, "JPEG", quality=90)
    return path


@pytest.fixture
def spot():
    """A function that makes a JPEG with a bright square whose middle is at (x, y)."""
    return make_spot


def make_spot(x: int, y: int, *, width: int = 96, height: int = 64, **options) -> bytes:
    import io

    from PIL import Image

    image = np.zeros((height, width, 3), np.uint8)
    image[max(0, y - 8) : y + 8, max(0, x - 8) : x + 8] = 255
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=95, **options)
    return file.getvalue()
