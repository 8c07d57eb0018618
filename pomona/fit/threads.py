"""Threads and devices of a training process. Importing this imports no torch: threads are set before it."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from pomona.foundation.errors import SettingError
from pomona.foundation.run import available_threads

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "POMONA_THREADS",
)

FLOPS_PER_THREAD = 1e9


def threads_per_trainer(num_trainers: int, num_cores: int | None = None) -> int:
    """How many threads each of some trainers on this machine gets: together never more than there are cores.

    With more trainers than cores it is 1 each.
    """
    if num_trainers < 1:
        raise SettingError(f"the number of trainers must be at least 1, got {num_trainers}")
    return max(1, (num_cores or available_threads()) // num_trainers)


def thread_environment(num_threads: int, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a process that is to use `num_threads`, whatever library computes in it."""
    return {
        **(os.environ if environment is None else environment),
        **dict.fromkeys(THREAD_VARIABLES, str(num_threads)),
    }


def useful_threads(step_flops: float, num_threads: int) -> int:
    """How many of some threads a step of so much computation, forward and backward, has work for.

    With less than about a GFLOP for each, threads wait for each other more than they help, and on a machine
    that others use too they wait long: measured on two cores, a second thread saves a tenth of a 0.2 GFLOP
    step when the machine is free and costs several times the step when it is not.
    """
    return max(1, min(num_threads, int(step_flops // FLOPS_PER_THREAD)))


def use_threads(num_threads: int) -> None:
    """Lets torch compute with `num_threads` in this process from now on."""
    import torch

    # an equal number is left alone: setting it costs a new pool of threads
    if torch.get_num_threads() != num_threads:
        torch.set_num_threads(num_threads)


@contextmanager
def threads_alone(num_threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads, each of which computes alone with torch; torch's own number comes back at the end.

    Where every operation is shared out instead, threads wait for each other, and long on a machine that
    others use too.
    """
    import torch

    before = torch.get_num_threads()
    use_threads(1)
    try:
        with ThreadPoolExecutor(num_threads) as pool:
            yield pool
    finally:
        use_threads(before)


def device_name(wanted: str) -> str:
    """The device to compute on: `wanted`, or for "auto" an accelerator when there is one.

    Raises SettingError for a device that is not there.
    """
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise SettingError(
            f"no device {wanted!r} here; choose auto, cpu or an accelerator of this machine"
        ) from error
    return wanted
