"""How many entries a second go through: the pipeline, one process on one core, more threads, and replicas."""

import contextlib
import itertools
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pomona.compile.pipeline.loops import loop, run_together
from pomona.compile.pipeline.pipeline import Pipeline
from pomona.compile.pipeline.processes import cores_of

Counter = Callable[[float], float]
"""Seconds to run → entries a second."""

SYSTEMS = ("single", "pipeline", "threads", "replicas")


@dataclass(frozen=True)
class Throughput:
    """Entries a second of each system, a number a round."""

    rounds: Mapping[str, Sequence[float]]

    def median(self, name: str) -> float:
        """Entries a second of a system, the middle of its rounds."""
        return float(np.median(self.rounds[name]))

    @property
    def ratio(self) -> float:
        """How many times as fast the pipeline is as one process on one core: the middle over rounds."""
        pairs = zip(self.rounds["pipeline"], self.rounds["single"], strict=True)
        return float(np.median([ours / single for ours, single in pairs]))


def throughput(
    plan: Path, whole: Path, example: Mapping[str, np.ndarray], *, seconds: float, num_rounds: int
) -> Throughput:
    """Runs the systems in turn; `whole` is the file of the model that was not cut.

    The single process has one core and one thread. Threads and replicas have as many cores as the pipeline.
    Who does not run sleeps.
    """
    with contextlib.ExitStack() as stack:
        pipeline = stack.enter_context(Pipeline(plan))
        cores = list(dict.fromkeys(cores_of(len(pipeline.partition.stages), None)))
        inputs = plan.parent / "example.npz"
        np.savez(inputs, allow_pickle=False, **example)
        stack.callback(inputs.unlink)
        single = stack.enter_context(loop(whole, inputs, cores[:1]))
        threads = stack.enter_context(loop(whole, inputs, cores, threads=len(cores)))
        copies = [stack.enter_context(loop(whole, inputs, [core])) for core in cores]
        counters: dict[str, Counter] = {
            "single": lambda seconds: _rate([single], seconds),
            "pipeline": lambda seconds: pipeline_rate(pipeline, example, seconds),
            "threads": lambda seconds: _rate([threads], seconds),
            "replicas": lambda seconds: _rate(copies, seconds),
        }
        found: dict[str, list[float]] = {name: [] for name in SYSTEMS}
        for turn in range(num_rounds):
            # nobody is always the first after a pause
            for name in (*SYSTEMS[turn % len(SYSTEMS) :], *SYSTEMS[: turn % len(SYSTEMS)]):
                found[name].append(counters[name](seconds))
    return Throughput(found)


def pipeline_rate(pipeline: Pipeline, example: Mapping[str, np.ndarray], seconds: float) -> float:
    """Entries a second of a pipeline that is kept full, the time until the first one left out."""
    deadline = time.perf_counter() + seconds
    entries = itertools.takewhile(lambda _: time.perf_counter() < deadline, itertools.repeat(example))
    moments = [time.perf_counter() for _ in pipeline.map(entries)]
    if len(moments) < 2:
        return len(moments) / seconds
    return (len(moments) - 1) / (moments[-1] - moments[0])


def _rate(processes: Sequence[subprocess.Popen], seconds: float) -> float:
    return sum(ran.count / ran.seconds for ran in run_together(processes, seconds))
