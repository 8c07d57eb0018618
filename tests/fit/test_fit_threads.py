"""Trainers beside each other never have more threads than there are cores."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pomona.fit.threads import (
    THREAD_VARIABLES,
    device_name,
    thread_environment,
    threads_per_trainer,
    use_threads,
)
from pomona.foundation.errors import SettingError


@given(st.integers(1, 64), st.integers(1, 64))
def test_all_trainers_together_fit_the_cores(num_trainers, num_cores):
    each = threads_per_trainer(num_trainers, num_cores)
    assert each >= 1
    assert each * num_trainers <= max(num_cores, num_trainers)
    assert (each + 1) * num_trainers > num_cores


def test_no_trainer_is_refused():
    with pytest.raises(SettingError, match="at least 1"):
        threads_per_trainer(0)


def test_a_spawned_trainer_computes_with_its_share_whatever_its_surroundings_say():
    """Two trainers for two cores: torch, its pool and Pomona's runs see one thread each."""
    code = (
        "import os, torch, numpy, pomona.foundation.run as r\n"
        "x = torch.randn(600, 600)\n"
        "(x @ x).sum(); torch.nn.functional.conv2d(torch.randn(8, 3, 64, 64), torch.randn(16, 3, 3, 3))\n"
        "print(torch.get_num_threads(), r.available_threads(), len(os.listdir('/proc/self/task')))"
    )
    surroundings = {**os.environ, "OMP_NUM_THREADS": "7", "POMONA_THREADS": "7"}
    environment = thread_environment(threads_per_trainer(2, 2), surroundings)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    num_threads, available, num_tasks = map(int, done.stdout.split())
    assert (num_threads, available) == (1, 1)
    assert num_tasks == 1


def test_the_environment_keeps_all_else():
    environment = thread_environment(3, {"HOME": "/here", "OMP_NUM_THREADS": "9"})
    assert environment["HOME"] == "/here"
    assert {environment[name] for name in THREAD_VARIABLES} == {"3"}


def test_a_process_can_be_told_its_threads():
    import torch

    before = torch.get_num_threads()
    try:
        use_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        use_threads(before)


def test_devices_are_told_or_refused():
    assert device_name("cpu") == "cpu"
    assert device_name("auto") in ("cpu", "cuda")
    with pytest.raises(SettingError, match="nonsense"):
        device_name("nonsense")
