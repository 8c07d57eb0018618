"""Programs that run a model again and again, each on its own cores, at the same time where that is asked."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pomona.compile.pipeline.processes import module_environment
from pomona.foundation.errors import PomonaError

NUM_ROUNDS = 8


@dataclass(frozen=True)
class Ran:
    """How often a model ran, and what that took."""

    count: int
    seconds: float
    processor_seconds: float
    """Of one thread; less than `seconds` where others had the core."""


@contextlib.contextmanager
def loop(
    model: Path, inputs: Path, cores: Sequence[int | None], *, threads: int = 1
) -> Iterator[subprocess.Popen]:
    """A program that has loaded the model and waits; `inputs` is an npz file of one entry."""
    asked = {"model": str(model), "inputs": str(inputs), "threads": threads}
    asked["cores"] = [core for core in cores if core is not None]
    process = subprocess.Popen(
        [sys.executable, "-m", "pomona.compile.pipeline.loop_process", json.dumps(asked)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=module_environment(),
    )
    try:
        _answer(process)
        yield process
    finally:
        process.kill()
        process.communicate()


def run_together(processes: Sequence[subprocess.Popen], seconds: float) -> list[Ran]:
    """Lets programs run at the same time for so long. Raises PomonaError when one has ended."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{seconds}\n".encode())
        process.stdin.flush()
    return [Ran(*json.loads(_answer(process))) for process in processes]


def together_us(
    models: Sequence[Path],
    entries: Sequence[Mapping[str, np.ndarray]],
    cores: Sequence[int | None],
    folder: Path,
    *,
    seconds: float,
) -> list[float]:
    """Processor time of each model in microseconds, while all run at once for `seconds`, a core each.

    Cores share memory and caches: alone each would be faster than it is in a pipeline. Of several
    rounds the lower quartile is taken: others who use the machine only ever make it slower.
    """
    with contextlib.ExitStack() as stack:
        processes = []
        for place, (model, entry) in enumerate(zip(models, entries, strict=True)):
            inputs = folder / f"entry-{place + 1}.npz"
            np.savez(inputs, allow_pickle=False, **entry)
            stack.callback(inputs.unlink)
            processes.append(stack.enter_context(loop(model, inputs, [cores[place]])))
        rounds = [run_together(processes, seconds / NUM_ROUNDS) for _ in range(NUM_ROUNDS)]
    times = [[ran.processor_seconds / ran.count * 1e6 for ran in one] for one in rounds]
    return np.quantile(times, 0.25, axis=0).tolist()


def _answer(process: subprocess.Popen) -> bytes:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise PomonaError(f"a process that times a model ended with {process.wait()}: start again")
    return line
