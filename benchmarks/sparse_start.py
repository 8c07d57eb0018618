"""How long does a fresh process take to its first answer?

    python benchmarks/sparse_start.py [--repeats 10]

Published mobile networks at 224 × 224 with 80 % zeros in an ONNX file. The clock runs from before the process
is started until it has the answer: the interpreter and all imports, opening and running once are in it.
Everything was opened once before, so that machine code, choices and verdict lie in the cache, as on any start
but a machine's first. ONNX Runtime's session of the same file takes turns with ours. Milliseconds by the
clock, the least and the median; `cpu` is processor time, which other work on the machine hardly touches.
Writes benchmarks/results/sparse_start.json and prints one JSON line.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sparse_networks import NETWORKS
from sparse_onnx import onnx_model

from pomona.foundation.files import to_json, write_json

RESULT = Path(__file__).parent / "results" / "sparse_start.json"
BAR_MS = 1000
SPARSITY, BLOCK = 0.8, 2

CHILD = """
import json, resource, sys, time
import numpy as np
path, name, runtime = sys.argv[1:]
if runtime == "onnx":
    from pomona.export.sessions.onnx import OnnxSession
    session = OnnxSession(path)
else:
    from pomona.compile import SparseSession
    session = SparseSession(path)
session.run({name: np.ones((1, 3, 224, 224), np.float32)})
answered = time.time()
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([answered, 1000 * (used.ru_utime + used.ru_stime), getattr(session, "is_native", False)]))
"""


def main() -> None:
    """Measures and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(name, Path(folder), wanted.repeats) for name in NETWORKS]
    result = {
        "benchmark": "sparse_start",
        "unit": "milliseconds from before a process is started to its first answer, cache warm",
        "bar": "under 1,000 by the clock",
        "command": f"python benchmarks/sparse_start.py --repeats {wanted.repeats}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d"),
        "networks": rows,
        "met": all(one["median_ms"] < BAR_MS for one in rows),
    }
    write_json(RESULT, result)
    print(to_json(result))


def row(name: str, folder: Path, repeats: int) -> dict:
    """One network: ours and ONNX Runtime's, in turn."""
    plan = NETWORKS[name](SPARSITY, BLOCK)
    path = folder / f"{name}.onnx"
    path.write_bytes(onnx_model(plan))
    (image,) = (tensor.name for tensor in plan.inputs)
    started(path, image, "sparse")
    both = [[started(path, image, runtime) for runtime in ("sparse", "onnx")] for _ in range(repeats)]
    ours, theirs = (np.array([one[place][:2] for one in both]) for place in (0, 1))
    return {
        "name": name,
        "is_native": all(one[0][2] for one in both),
        "least_ms": float(ours[:, 0].min()),
        "median_ms": float(np.median(ours[:, 0])),
        "cpu_ms": float(np.median(ours[:, 1])),
        "onnx_least_ms": float(theirs[:, 0].min()),
        "onnx_median_ms": float(np.median(theirs[:, 0])),
        "onnx_cpu_ms": float(np.median(theirs[:, 1])),
    }


def started(path: Path, image: str, runtime: str) -> tuple[float, float, bool]:
    """Milliseconds by the clock and of the processor until the answer, and whether it was native."""
    begin = time.time()
    command = [sys.executable, "-c", CHILD, str(path), image, runtime]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answered, cpu_ms, is_native = json.loads(done.stdout)
    return 1000 * (answered - begin), cpu_ms, is_native


if __name__ == "__main__":
    main()
