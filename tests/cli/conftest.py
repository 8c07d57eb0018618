import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def pomona(tmp_path):
    """Runs the command line as a user does, in an empty folder."""

    def call(*arguments, timeout=240):
        command = [sys.executable, "-m", "pomona", *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, timeout=timeout, env=quiet_env()
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return call


def quiet_env():
    return {**os.environ, "POMONA_THREADS": "1"}
