"""MediaPipe's hand and selfie networks, pruned at once on real frames: how far off, and how fast.

    python benchmarks/sparse_mediapipe.py [--sparsity 0.5,0.7,0.8] [--frames 48] [--again]

Two videos of one person each. Layers are fitted to their first three quarters and judged on their last ones
("other frames"), or fitted to the first video and judged on the second ("another person"). Hands: the crops
that our own holistic pipeline gives the network where it sees a hand; the error is of the 21 points, in
pixels of the crop of 224. Selfie: the pipeline's crops around the person; the error is that of the mask, and
the overlap of the two masks above 1/2 (intersection by union). No network is trained on after pruning. Times
are medians of the processor time of one frame on one thread: the dense network in LiteRT and in ONNX Runtime,
the sparse one in the sparse runtime, also where ONNX Runtime would be chosen. Prints one JSON line.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pomona.compile.pruning.one_shot.calibration import Calibration
from pomona.compile.pruning.one_shot.graph import prune_graph
from pomona.compile.pruning.settings import PruneSettings
from pomona.compile.sparse.reading.graph import read_graph
from pomona.compile.sparse.session import SparseSession
from pomona.compile.tflite.convert import tflite_as_onnx
from pomona.export.sessions.onnx import OnnxSession
from pomona.foundation.assets import fetch
from pomona.foundation.errors import PomonaError
from pomona.foundation.files import read_json, to_json, write_json
from pomona.foundation.run import temporary_run
from pomona.perceive.holistic.holistic import Holistic
from pomona.perceive.model import Model

RESULT = Path(__file__).parent / "results" / "sparse_mediapipe.json"
VIDEOS = ("sports2d-samples/demo.mp4", "pose2sim-samples/cam01.mp4")
NETWORKS = {"hand": "mediapipe/hand_landmark_full.tflite", "selfie": "mediapipe/selfie_segmentation.tflite"}
NUM_OUTPUTS = {"hand": 4, "selfie": 5}
"""Tells the models of the pipeline whose crops are taken: those of the hands, and of the whole body."""

WAYS = (
    # method, pattern, how it is judged
    ("magnitude", "1x1", "other frames"),
    ("reconstruct", "1x1", "other frames"),
    ("reconstruct", "2x1", "other frames"),
    ("reconstruct", "1x1", "another person"),
)


def main() -> None:
    """Prunes both networks and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sparsity", default="0.5,0.7,0.8")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--again", action="store_true")
    wanted = parser.parse_args()
    kept = read_json(RESULT) if RESULT.exists() and not wanted.again else {}
    for name in NETWORKS:
        if name not in kept:
            kept[name] = measured(name, wanted.sparsity, wanted.frames)
            write_json(RESULT, header(wanted) | {one: kept[one] for one in NETWORKS if one in kept})
    print(to_json(read_json(RESULT)))


def header(wanted: argparse.Namespace) -> dict[str, Any]:
    """What stands above the numbers."""
    return {
        "benchmark": "sparse_mediapipe",
        "unit": "difference to the dense network's output on another video; milliseconds a frame",
        "bar": "none: speed against error, reported",
        "command": f"python benchmarks/sparse_mediapipe.py --frames {wanted.frames}",
        "sparsity": wanted.sparsity,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one thread",
        "date": time.strftime("%Y-%m-%d"),
    }


def measured(name: str, sparsities: str, num_frames: int) -> list[dict[str, Any]]:
    """A row a sparsity and a way."""
    path = fetch(NETWORKS[name])
    content = tflite_as_onnx(path)
    graph = read_graph(content)
    (entry,) = graph.inputs
    videos = [frames(video, NUM_OUTPUTS[name], num_frames) for video in VIDEOS]
    splits = {judged: split(entry.name, videos, judged) for judged in ("other frames", "another person")}
    held = splits["other frames"].held
    dense = OnnxSession(content)
    dense_ms = {"litert": milliseconds(litert(path), held), "onnx": milliseconds(dense.run, held)}
    rows = [{"sparsity": 0.0, "way": "dense", **{f"{who}_ms": ms for who, ms in dense_ms.items()}}]
    for method, pattern, judged in WAYS:
        for sparsity in map(float, sparsities.split(",")):
            settings = PruneSettings(sparsity=str(sparsity), method=method, pattern=pattern)
            with temporary_run() as run:
                pruned = prune_graph(graph, splits[judged], settings, run=run)
            rows.append(
                {
                    "sparsity": sparsity,
                    "way": f"{method}, {pattern}, {judged}",
                    **apart(name, dense, OnnxSession(pruned.content), splits[judged].held),
                    **sparse_time(pruned.content, held, dense_ms["litert"]),
                }
            )
    return rows


def split(name: str, videos: list[np.ndarray], judged: str) -> Calibration:
    """What layers are fitted to and judged by."""
    if judged == "another person":
        return Calibration({name: videos[0]}, {name: videos[1]}, 1)
    parts = [np.split(video, [3 * len(video) // 4]) for video in videos]
    fitted, held = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    return Calibration({name: fitted}, {name: held}, 1)


def frames(video: str, num_outputs: int, count: int) -> np.ndarray:
    """Crops that the model with so many outputs was given, evenly spread over the video."""
    found = crops(video, num_outputs)
    places = np.unique(np.linspace(0, len(found) - 1, count).astype(int))
    return np.stack([found[place] for place in places])


def crops(video: str, num_outputs: int) -> list[np.ndarray]:
    """What a model is given and finds something in, while the holistic pipeline follows the video."""
    found: list[np.ndarray] = []
    usual = Model.run

    def watched(self: Model, image: Any, region: Any, wanted: Any) -> list[np.ndarray]:
        outputs = usual(self, image, region, wanted)
        if len(self._outputs) == num_outputs and float(self.view(1).ravel()[0]) > 0.5:
            found.append(self._crop.take(image, region, self._border).astype(np.float32) / 255)
        return outputs

    Model.run = watched  # type: ignore[method-assign]
    try:
        with Holistic(threads=1, hand_model="full") as holistic:
            for _ in holistic.stream(str(fetch(video))):
                pass
    finally:
        Model.run = usual  # type: ignore[method-assign]
    return found


def apart(
    name: str, dense: OnnxSession, sparse: OnnxSession, held: dict[str, np.ndarray]
) -> dict[str, float]:
    """How far the sparse network's main output is off."""
    pairs = [(dense.run(one), sparse.run(one)) for one in singles(held)]
    main_output = next(iter(pairs[0][0]))
    wanted, got = (np.concatenate([pair[side][main_output] for pair in pairs]) for side in (0, 1))
    if name == "hand":
        points = (wanted - got).reshape(len(wanted), 21, 3)[..., :2]
        distances = np.linalg.norm(points, axis=2)
        return {"mean_px": float(distances.mean()), "p90_px": float(np.quantile(distances, 0.9))}
    inside, also = wanted > 0.5, got > 0.5
    overlap = (inside & also).sum() / max((inside | also).sum(), 1)
    return {"mean_mask_error": float(np.abs(wanted - got).mean()), "overlap": float(overlap)}


def sparse_time(content: bytes, held: dict[str, np.ndarray], dense_ms: float) -> dict[str, Any]:
    """Milliseconds in the sparse runtime and how many times as fast as LiteRT; why not, where it refuses."""
    try:
        session = SparseSession(content, runtime="sparse")
    except PomonaError as error:
        return {"sparse_ms": None, "times_litert": None, "why": str(error)[:120]}
    took = milliseconds(session.run, held)
    return {"sparse_ms": took, "times_litert": dense_ms / took}


def litert(path: Path) -> Callable[[dict[str, np.ndarray]], Any]:
    """The original model in LiteRT on one thread."""
    from pomona.export.sessions.interpreter import open_interpreter

    interpreter = open_interpreter(path, path.name, threads=1)
    place = interpreter.get_input_details()[0]["index"]

    def run(batch: dict[str, np.ndarray]) -> None:
        interpreter.set_tensor(place, next(iter(batch.values())))
        interpreter.invoke()

    return run


def milliseconds(run: Callable[[dict[str, np.ndarray]], Any], inputs: dict[str, np.ndarray]) -> float:
    """The median of the processor time of calls, which neighbours on the machine disturb least."""
    batch = next(singles(inputs))
    for _ in range(5):
        run(batch)
    times = []
    for _ in range(60):
        began = time.process_time()
        run(batch)
        times.append(time.process_time() - began)
    return 1000 * float(np.median(times))


def singles(inputs: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    """The inputs one at a time."""
    for place in range(len(next(iter(inputs.values())))):
        yield {name: array[place : place + 1] for name, array in inputs.items()}


if __name__ == "__main__":
    main()
