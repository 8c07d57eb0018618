"""The processes of a pipeline's stages: started, watched, ended."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pomona
from pomona.compile.pipeline.partition_file import Partition
from pomona.compile.pipeline.ring import RingFiles
from pomona.foundation.errors import PomonaError, SettingError

PATIENCE_S = 5.0
"""How long a stage may take to end by itself."""


class StageProcesses:
    """One process a stage. The descriptors of `rings` that are not the owner's are closed here."""

    def __init__(
        self,
        partition: Partition,
        folder: Path,
        rings: Sequence[RingFiles],
        num_slots: int,
        cores: Sequence[int | None],
        devices: Sequence[str],
    ):
        self._ready, ready = os.pipe()
        self._errors = [tempfile.TemporaryFile() for _ in partition.stages]  # noqa: SIM115
        self._processes = []
        for place, stage in enumerate(partition.stages):
            before, behind = rings[place].of_emptier, rings[place + 1].of_filler
            asked = {
                "file": str(folder / stage.file) if stage.file else "",
                "core": cores[place],
                "device": devices[place],
                "before": _end(partition, place, num_slots, before),
                "behind": _end(partition, place + 1, num_slots, behind),
                "ready": ready,
            }
            self._processes.append(_started(asked, (*before, *behind, ready), self._errors[place]))
        os.close(ready)
        _close_others(rings)

    def wait_until_ready(self) -> None:
        """Returns when every stage has loaded its model. Raises PomonaError when one cannot."""
        told = b""
        while part := os.read(self._ready, len(self._processes)):
            told += part
        os.close(self._ready)
        if len(told) < len(self._processes):
            raise PomonaError(self.why_ended())

    def why_ended(self) -> str:
        """In one line which stage ended first before its time, and how."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not any(self._codes()):
            time.sleep(0.01)
        count = len(self._processes)
        for place, code in enumerate(self._codes()):
            if code:
                return f"stage {place + 1} of {count} {self._how(place, code)}: start the pipeline again"
        return "the pipeline's stages ended before their time: start it again"

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The stages' processes as the system numbers them."""
        return tuple(process.pid for process in self._processes)

    def end(self) -> None:
        """Waits for the processes, whose rings are closed by now, and kills who does not end."""
        deadline = time.monotonic() + PATIENCE_S
        for process in self._processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for file in self._errors:
            file.close()

    def _codes(self) -> list[int | None]:
        return [process.poll() for process in self._processes]

    def _how(self, place: int, code: int) -> str:
        if code < 0:
            return f"was ended by signal {-code} ({signal.Signals(-code).name})"
        self._errors[place].seek(0)
        lines = self._errors[place].read().decode(errors="replace").strip().splitlines()
        return f"ended with {code}{': ' if lines else ''}{''.join(lines[-1:])}"


def cores_of(num_stages: int, cores: Sequence[int] | None) -> list[int | None]:
    """The core of each stage, in turn of those given or allowed; None where the system does not say."""
    if not hasattr(os, "sched_getaffinity"):
        return [None] * num_stages
    allowed = sorted(os.sched_getaffinity(0))
    if wrong := sorted(set(cores or ()) - set(allowed)):
        raise SettingError(f"core {wrong[0]} is none of those this process may use: {allowed}")
    chosen = list(cores or allowed)
    return [chosen[place % len(chosen)] for place in range(num_stages)]


def num_cores(num_stages: int) -> int:
    """How many different cores so many stages have; a core each where the system does not say."""
    cores = cores_of(num_stages, None)
    return num_stages if None in cores else len(set(cores))


def _end(partition: Partition, place: int, num_slots: int, files: tuple[int, int, int]) -> dict[str, Any]:
    tensors = [tuple(asdict(tensor).values()) for tensor in partition.crossings[place]]
    return {"tensors": tensors, "num_slots": num_slots, "files": files}


def _started(asked: dict[str, Any], files: tuple[int, ...], errors: Any) -> subprocess.Popen:
    # not multiprocessing: its processes would load the user's main program, and torch with it
    return subprocess.Popen(
        [sys.executable, "-m", "pomona.compile.pipeline.stage_process", json.dumps(asked)],
        pass_fds=files,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        env=module_environment(),
    )


def module_environment() -> dict[str, str]:
    """The environment of a program of ours that finds the same modules as this one."""
    path = os.pathsep.join([str(Path(pomona.__file__).parents[1]), *sys.path])
    return {**os.environ, "PYTHONPATH": path}


def _close_others(rings: Sequence[RingFiles]) -> None:
    """Closes what belongs to stages alone: a pipe tells of a death only when nobody else holds its end."""
    for place, ring in enumerate(rings):
        kept = {
            *(ring.of_filler if place == 0 else ()),
            *(ring.of_emptier if place == len(rings) - 1 else ()),
        }
        for file in {ring.memory, ring.take_full, ring.give_full, ring.take_free, ring.give_free} - kept:
            os.close(file)
