"""Do zeros make 1x1 convolutions and whole mobile networks faster than other people's dense runtimes?

    python benchmarks/sparse.py [--quick] [--parts layers,networks] [--threads 1,2] [--rounds 6]

Layers: our kernel as a network runs it (its input packed by the layer before) against the fastest of LiteRT
(XNNPACK), ONNX Runtime, OpenVINO and PyTorch. Networks: 224 x 224, batch 1, end to end with the copies of
input and output, against LiteRT. Times are the least of many calls, systems in turn, in several rounds; whole
networks on one thread are timed by the processor time they take, which other work on the machine leaves
alone, all else by the clock. The second thread of ours and of LiteRT is kept off the core of the first.
Weights and zeros are random. OpenVINO needs the environment of benchmarks/peers/sparse.txt. Prints one JSON
line. `--quick` ends within 3 minutes and records nothing; a part that is not asked for keeps its record.
"""

import argparse
import importlib.metadata
import math
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.sparse_networks import NETWORKS, layer
from benchmarks.sparse_peers import PEERS, peers_here
from pomona.compile.sparse.machine import this_machine
from pomona.compile.sparse.plan import Plan
from pomona.compile.sparse.program import Program, compile_plan
from pomona.compile.sparse.tune import tune
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.randomness import stream

RESULT = Path(__file__).parent / "results" / "sparse.json"
SHAPES = ((128, 128, 56), (256, 256, 28), (512, 512, 14), (512, 512, 28), (1024, 1024, 7))
PATTERNS = ((0.7, 1), (0.8, 1), (0.9, 1), (0.8, 2))
ALL_CORES = os.sched_getaffinity(0)
CALLS = 12
"""Calls of one system in a row; the least counts, so that caches are as warm as in a server."""

MANY_CALLS = 200
"""Of a layer on two threads: on a busy machine both run at once in few of them."""

Call = Callable[[], float]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", default="layers,networks")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=6)
    wanted = parser.parse_args()
    threads = [1] if wanted.quick else [int(part) for part in wanted.threads.split(",")]
    rounds = 3 if wanted.quick else wanted.rounds
    patterns = PATTERNS[1:] if wanted.quick else PATTERNS
    kept = read_json(RESULT) if RESULT.exists() and not wanted.quick else {}
    rows = {name: kept.get(name, []) for name in PARTS}
    for name in wanted.parts.split(","):
        rows[name] = [row for count in threads for row in PARTS[name](count, rounds, patterns)]
    result = header(wanted.rounds) | summary(rows["layers"]) | rows
    if not wanted.quick:
        write_json(RESULT, result)
    print(to_json(result))


def layer_rows(threads: int, rounds: int, patterns) -> list[dict]:
    """One row a shape and pattern of zeros."""
    rows = []
    for shape in SHAPES:
        dense = layer(*shape, sparsity=0.0, block=1)
        image = picture(dense)
        pin(set())
        others = [name for name in peers_here() if name != "LiteRT"]
        peers = {name: layer_timer(PEERS[name](dense, image, threads).run, threads) for name in others}
        before = running()
        peers["LiteRT"] = layer_timer(PEERS["LiteRT"](dense, image, threads).run, threads)
        ours = {
            pattern: layer_call(layer(*shape, sparsity=pattern[0], block=pattern[1]), threads)
            for pattern in patterns
        }
        pin(running() - before)
        best = in_turn({**peers, **ours}, rounds)
        fastest = min(peers, key=lambda name: best[name])
        for pattern in patterns:
            rows.append(
                {
                    "shape": f"{shape[0]}x{shape[1]}@{shape[2]}",
                    "threads": threads,
                    "sparsity": pattern[0],
                    "block": pattern[1],
                    "ours_us": round(1e6 * best[pattern], 1),
                    "best_dense_us": round(1e6 * best[fastest], 1),
                    "best_dense": fastest,
                    "ratio": round(best[fastest] / best[pattern], 2),
                }
            )
            print(rows[-1], file=sys.stderr)
    return rows


def layer_call(plan: Plan, threads: int) -> Call:
    """The least seconds of the 1x1 step within some runs of the program."""
    program = compile_plan(plan, threads=threads, choices=tune(plan))
    program.run(picture(plan))

    def call() -> float:
        steps = program.step_times(CALLS if threads == 1 else MANY_CALLS)
        return 1e-6 * next(step.microseconds for step in steps if step.op == "pointwise")

    return call


def network_rows(threads: int, rounds: int, patterns) -> list[dict]:
    """One row a network and pattern of zeros, and one without zeros."""
    rows = []
    for name, make in NETWORKS.items():
        dense = make(0.0, 1)
        image = picture(dense)
        clock = time.process_time if threads == 1 else time.perf_counter
        pin(set())
        before = running()
        rival = timer(PEERS["LiteRT"](dense, image, threads).run, clock)
        programs = {pattern: network_program(make(*pattern), threads) for pattern in patterns}
        ours = {pattern: timer(runner(program, image), clock) for pattern, program in programs.items()}
        pin(running() - before)
        best = in_turn({"LiteRT": rival, **ours}, rounds)
        for pattern in patterns:
            rows.append(
                {
                    "name": name,
                    "threads": threads,
                    "sparsity": pattern[0],
                    "block": pattern[1],
                    "ours_ms": round(1e3 * best[pattern], 3),
                    "dense_ms": round(1e3 * best["LiteRT"], 3),
                    "ratio": round(best["LiteRT"] / best[pattern], 2),
                    "memory_mb": round(programs[pattern].memory_bytes / 1e6, 1),
                }
            )
            print(rows[-1], file=sys.stderr)
    return rows


def network_program(plan: Plan, threads: int) -> Program:
    """The tuned program."""
    return compile_plan(plan, threads=threads, choices=tune(plan))


def running() -> set[int]:
    """The threads of this process."""
    return {int(path.name) for path in Path("/proc/self/task").iterdir()}


def pin(workers: set[int]) -> None:
    """Keeps the workers off the main thread's core, where a busy system may leave both; none: anew."""
    cores = sorted(ALL_CORES)
    for worker in workers:
        os.sched_setaffinity(worker, cores[1:] or cores)
    os.sched_setaffinity(0, cores[:1] if workers else cores)


def runner(program: Program, image: np.ndarray) -> Callable[[], object]:
    """A call of a program, copies of input and output included."""
    return lambda: program.run(image)


def layer_timer(run: Callable[[], object], threads: int) -> Call:
    """The same number of calls of a peer."""
    calls = timer(run)
    return calls if threads == 1 else lambda: min(calls() for _ in range(MANY_CALLS // CALLS))


def timer(run: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> Call:
    """The least seconds of some calls by a clock."""

    def call() -> float:
        best = math.inf
        for _ in range(CALLS):
            began = clock()
            run()
            best = min(best, clock() - began)
        return best

    return call


def in_turn(calls: dict, rounds: int) -> dict:
    """The least of every call over rounds in which all take their turn."""
    best = dict.fromkeys(calls, math.inf)
    for _ in range(rounds):
        for name, call in calls.items():
            best[name] = min(best[name], call())
    return best


def picture(plan: Plan) -> np.ndarray:
    """Random numbers of the input's shape."""
    shape = plan.inputs[0].shape
    return stream(0, "benchmark image").standard_normal(shape).astype(np.float32)


def summary(rows: list[dict]) -> dict:
    """Geometric means and least ratios of the layers, by threads and pattern."""
    found = {}
    for row in rows:
        found.setdefault((row["threads"], row["sparsity"], row["block"]), []).append(row["ratio"])
    return {
        f"layers, {threads} threads, {round(100 * sparsity)} % in blocks of {block}": {
            "mean_ratio": round(math.exp(np.mean(np.log(ratios))), 2),
            "least_ratio": min(ratios),
        }
        for (threads, sparsity, block), ratios in found.items()
    }


def header(rounds: int) -> dict:
    """What stands above the rows."""
    packages = ("ai-edge-litert", "onnxruntime", "openvino", "torch", "llvmlite")
    installed = {
        found.metadata["Name"].lower(): found.version for found in importlib.metadata.distributions()
    }
    return {
        "benchmark": "sparse",
        "unit": "microseconds or milliseconds, and how many times less than the fastest dense runtime's; "
        "networks on one thread in processor time, all else by the clock of a machine with other work on it",
        "bar": "layers 2.2 at 80 %, 3.6 at 90 %, 2.8 at 80 % in blocks of 2, none under 1.8 at 80 %; "
        "MobileNetV1 1.8 at 80 %, 2.4 at 90 %; MobileNetV2 1.5 at 80 % in blocks of 2, 1.8 at 90 %",
        "command": f"python benchmarks/sparse.py --rounds {rounds}",
        "machine": f"{platform.machine()} {this_machine().cpu}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d"),
        "versions": ", ".join(f"{name} {installed[name]}" for name in packages if name in installed),
    }


PARTS = {"layers": layer_rows, "networks": network_rows}

if __name__ == "__main__":
    main()
