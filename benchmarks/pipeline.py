"""How much faster is a pipeline of stages than one process on one core, and is that what was foretold?

    python benchmarks/pipeline.py [--networks mobilenet-v2,vit-s/16] [--stages 2] [--rounds 9] [--seconds 1.5]

Networks of pomona.networks at 224 x 224 with drawn weights, exported to ONNX, a batch of one. Cuts are found
by what `pomona partition` does. Then rounds, in each of which every system runs in turn, the order turned by
one from round to round:

single      one process pinned to one core, one thread
pipeline    the stages, a core each
threads     one process with as many threads as cores
replicas    a process a core, each with the whole model

Ratios are taken within rounds; medians and intervals of 95 % over rounds. The outputs of the pipeline are
compared with those of the model as it was exported. With --cuts the cuts of an earlier call are used again;
--rounds 0 finds cuts alone. Prints one JSON line.
"""

import argparse
import os
import platform
import time
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from pomona.compile.pipeline.chain import read_chain
from pomona.compile.pipeline.command import partition
from pomona.compile.pipeline.pipeline import Pipeline
from pomona.compile.pipeline.throughput import SYSTEMS, Throughput, throughput
from pomona.compile.pipeline.traced import trace
from pomona.export.sessions.onnx import OnnxSession
from pomona.foundation.files import read_json, to_json, write_bytes, write_json
from pomona.foundation.randomness import stream
from pomona.foundation.run import temporary_run

RESULT = Path(__file__).parent / "results" / "pipeline.json"
SIDE, NUM_CLASSES, NUM_COMPARED = 224, 1000, 8
INTERVAL = (0.025, 0.975)


def main() -> None:
    """Measures the networks asked for and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", default="mobilenet-v2,vit-s/16")
    parser.add_argument("--stages", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--profile-seconds", type=float, default=30.0)
    parser.add_argument("--beside", default="nothing else running", help="what else the machine did")
    parser.add_argument("--cuts", type=Path, help="folder in which models and cuts are kept, or found again")
    wanted = parser.parse_args()
    kept = read_json(RESULT) if RESULT.exists() else {}
    with temporary_run() as run:
        folder = wanted.cuts or run.folder
        for name in wanted.networks.split(","):
            own = folder / f"{name.replace('/', '-')}-{wanted.stages}"
            found = measured(name, own, wanted)
            if wanted.rounds:
                kept[f"{name}, {wanted.stages} stages"] = found
                head = header(wanted)
                write_json(RESULT, head | {key: value for key, value in kept.items() if key not in head})
    print(to_json(kept))


def header(wanted: argparse.Namespace) -> dict[str, Any]:
    """What stands above the networks."""
    return {
        "benchmark": "pipeline",
        "unit": "examples a second, a batch of one, float32; ratios are to the single process on one core",
        "bar": "1.7 times the single process with 2 stages on 2 cores, within 15 % of what was predicted",
        "command": f"python benchmarks/pipeline.py --rounds {wanted.rounds} --seconds {wanted.seconds:g}",
        "onnxruntime": metadata.version("onnxruntime"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {processor()}, {wanted.beside}",
        "date": time.strftime("%Y-%m-%d"),
    }


def processor() -> str:
    """What the processor calls itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def measured(name: str, folder: Path, wanted: argparse.Namespace) -> dict[str, Any]:
    """One network's row."""
    model = folder / "model.onnx"
    if not model.exists():
        write_bytes(model, exported(name))
    told = partition(
        model, stages=wanted.stages, predict_only=True, out=folder / "run", quiet=True,
        profile_seconds=wanted.profile_seconds,
    )  # fmt: skip
    example = {"image": image(0)}
    whole = folder / "whole.onnx"
    if not whole.exists():
        traced = trace(read_chain(model), example)
        write_bytes(whole, traced.chain.part_model(0, len(traced.chain.nodes), traced.tensors))
    if not wanted.rounds:
        return {}
    rates = throughput(Path(told["plan"]), whole, example, seconds=wanted.seconds, num_rounds=wanted.rounds)
    return row(told, rates) | {"largest difference": difference(model, told["plan"])}


def exported(name: str) -> bytes:
    """A network of the house with drawn weights, as ONNX."""
    from pomona.export.onnx import onnx_bytes
    from pomona.networks.build import build
    from pomona.networks.named import named_spec
    from pomona.tasks.feature import Feature

    task: Any = SimpleNamespace(
        kind="classify",
        inputs={"image": Feature("image", "image", (3, SIDE, SIDE))},
        targets={"label": Feature("label", "category", (), classes=tuple(map(str, range(NUM_CLASSES))))},
    )
    return onnx_bytes(build(named_spec(name, task), 0), {"image": image(0)})


def image(number: int) -> np.ndarray:
    """A batch of one."""
    return stream(0, "pipeline image", number).standard_normal((1, 3, SIDE, SIDE)).astype(np.float32)


def row(told: dict[str, Any], rates: Throughput) -> dict[str, Any]:
    """Medians, ratios with their intervals, and how far the prediction was off."""
    found: dict[str, Any] = {name: rates.median(name) for name in SYSTEMS}
    for name in SYSTEMS[1:]:
        ratios = np.array(rates.rounds[name]) / np.array(rates.rounds["single"])
        found[f"{name} by single"] = float(np.median(ratios))
        found[f"{name} by single, interval"] = interval(ratios)
    found["predicted"] = told["predicted_throughput"]
    found["measured by predicted"] = found["pipeline"] / told["predicted_throughput"]
    found["stages, ms"] = told["stage_ms"]
    found["cut by"] = told["method"]
    slowest = {f"slowest stage by {name}, ms": one["slowest_ms"] for name, one in told["methods"].items()}
    return found | slowest


def interval(ratios: np.ndarray) -> list[float]:
    """Of the median, by resampling rounds."""
    draws = stream(0, "pipeline interval").integers(0, len(ratios), (10_000, len(ratios)))
    return np.quantile(np.median(ratios[draws], axis=1), INTERVAL).tolist()


def difference(model: Path, plan: str) -> float:
    """The largest difference between outputs of the pipeline and of the model as it was exported."""
    session = OnnxSession(model)
    images = [{"image": image(number)} for number in range(NUM_COMPARED)]
    with Pipeline(plan) as pipeline:
        pairs = zip(map(session.run, images), pipeline.map(images), strict=True)
        return max(float(np.abs(one[key] - other[key]).max()) for one, other in pairs for key in one)


if __name__ == "__main__":
    main()
