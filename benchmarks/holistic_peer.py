"""The two pipelines as the benchmark sees them: each a process of its own environment behind a pipe."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SERVER = Path(__file__).with_name("holistic_server.py")


@dataclass(frozen=True)
class Answer:
    """What a pipeline said of one frame: a dict of arrays a person, in pixels, and the time it took."""

    people: tuple[dict[str, np.ndarray], ...]
    ms: float
    cpu_ms: float

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """The first person's parts; empty where nobody is."""
        return self.people[0] if self.people else {}


class Peer:
    """One pipeline; `cores` are the processor's cores that it may use."""

    def __init__(self, engine: str, python: str = sys.executable, cores: set[int] | None = None):
        self.engine = engine

        def pin() -> None:
            if cores:
                os.sched_setaffinity(0, cores)

        # unlimited libraries would make a thread for every core there is, used or not
        environment = {**os.environ, "GLOG_minloglevel": "3", "OMP_NUM_THREADS": str(len(cores or {0, 1}))}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = subprocess.Popen(
            [python, str(SERVER), engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            preexec_fn=pin,
        )

    def open(self, **options: Any) -> None:
        """A fresh pipeline with these options: complexity, still, irises, mask, and for ours all settings."""
        self._ask({"do": "open", "options": options})

    def frame(self, image: np.ndarray, time_s: float = 0.0) -> Answer:
        """What it says of the next frame."""
        return self._ask({"do": "frame", "time_s": time_s}, image)

    def still(self, image: np.ndarray, **options: Any) -> Answer:
        """What a fresh pipeline says of a photo."""
        self.open(still=True, **options)
        return self.frame(image)

    def load(self, frames: list[np.ndarray]) -> None:
        """Gives it the frames that `clip` runs over."""
        self._ask({"do": "load", "clear": True})
        for image in frames:
            self._ask({"do": "load"}, image)

    def clip(self, turns: int = 1) -> dict[str, float]:
        """Runs over the loaded frames: frames, ms, cpu_ms and, after `count_models`, model_cpu_ms of all."""
        return self._numbers({"do": "clip", "turns": turns})

    def count_models(self) -> None:
        """From now on counts the processor time that is spent inside the models; ours only."""
        self._ask({"do": "count_models"})

    def status(self) -> dict[str, float]:
        """rss_mb and peak_mb of its process, and its threads."""
        return self._numbers({"do": "status"})

    def close(self) -> None:
        """Ends its process."""
        self._process.stdin.close()
        self._process.wait()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _ask(self, request: dict, image: np.ndarray | None = None) -> Answer:
        reply = self._send(request, image)
        people: list[dict[str, np.ndarray]] = [{} for _ in range(reply["people"])]
        for index, name, kind, shape in reply["arrays"]:
            array = np.zeros(shape, kind)
            array.reshape(-1).view(np.uint8)[:] = np.frombuffer(self._read(array.nbytes), np.uint8)
            people[index][name] = array
        return Answer(tuple(people), reply.get("ms", 0.0), reply.get("cpu_ms", 0.0))

    def _numbers(self, request: dict) -> dict[str, float]:
        reply = self._send(request)
        return {name: value for name, value in reply.items() if name not in ("people", "arrays")}

    def _send(self, request: dict, image: np.ndarray | None = None) -> dict:
        if image is not None:
            request = {**request, "shape": image.shape}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        if image is not None:
            self._process.stdin.write(np.ascontiguousarray(image).tobytes())
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip().splitlines()
            raise RuntimeError(f"{self.engine} ended at {request['do']}: {said[-1] if said else 'no word'}")
        return json.loads(line)

    def _read(self, size_bytes: int) -> bytes:
        return self._process.stdout.read(size_bytes)
