"""Is the sparse session ever slower than ONNX Runtime? Mobile networks from no zeros to nearly all.

    python benchmarks/sparse_choice.py [--sparsity 0,0.3,0.5,0.7,0.8,0.9,0.95] [--rounds 5]

`SparseSession` opens each network as a user would and chooses; then it and ONNX Runtime run in turn, on one
thread, timed by the processor time they take, the least of many calls. Weights and zeros are random.
"""

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.sparse_networks import mobilenet_v1, mobilenet_v2
from benchmarks.sparse_onnx import onnx_model
from pomona.compile import SparseSession
from pomona.compile.sparse.verdict import machine_name
from pomona.export.sessions.onnx import OnnxSession
from pomona.foundation.files import to_json, write_json
from pomona.foundation.randomness import stream

RESULT = Path(__file__).parent / "results" / "sparse_choice.json"
NETWORKS = {"MobileNetV1": mobilenet_v1, "MobileNetV2": mobilenet_v2}
CALLS = 20


def main() -> None:
    """Measures, prints one JSON line and records it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sparsity", default="0,0.3,0.5,0.7,0.8,0.9,0.95")
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    shares = [float(share) for share in wanted.sparsity.split(",")]
    rows = [row(name, share, wanted.rounds) for name in NETWORKS for share in shares]
    result = {
        "benchmark": "sparse_choice",
        "unit": "milliseconds of processor time on one thread, and how many times less than ONNX Runtime's",
        "bar": "never slower than dense at any sparsity: no ratio under 1 but for the clock's noise",
        "command": f"python benchmarks/sparse_choice.py --rounds {wanted.rounds}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "processor": machine_name(),
        "date": time.strftime("%Y-%m-%d"),
        "versions": f"onnxruntime {importlib.metadata.version('onnxruntime')}",
        "least ratio": min(each["ratio"] for each in rows),
        "networks": rows,
    }
    write_json(RESULT, result)
    print(to_json(result))


def row(name: str, share: float, rounds: int) -> dict[str, object]:
    """A network with this share of zeros: what was chosen, and what both take."""
    plan = NETWORKS[name](share, 1)
    content = onnx_model(plan)
    ours, dense = SparseSession(content), OnnxSession(content)
    shape = plan.inputs[0].shape
    image = stream(0, "benchmark image").random((1, *shape), np.float32)
    inputs = {plan.inputs[0].name: image}
    best = [np.inf, np.inf]
    for _ in range(rounds):
        for place, session in enumerate((ours, dense)):
            for _ in range(CALLS):
                began = time.thread_time()
                session.run(inputs)
                best[place] = min(best[place], time.thread_time() - began)
    return {
        "name": name,
        "sparsity": share,
        "chosen": "native" if ours.is_native else "ONNX Runtime",
        "chosen_ms": round(1e3 * best[0], 3),
        "onnx_ms": round(1e3 * best[1], 3),
        "ratio": round(best[1] / best[0], 2),
    }


if __name__ == "__main__":
    main()
