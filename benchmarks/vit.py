"""The vision transformer's bars: equality with its peers, accuracy on digits and MNIST, what positions learn.

    python benchmarks/vit.py [--quick] [--seeds 3] [--only digits mnist …]

--quick computes what takes seconds and reads what was trained from benchmarks/results/vit.json, marked
"recorded". Without it all is trained anew, each network with the settings that the recipe tells, and the file
is written after every part. Beside the accuracies stands the cheap baseline (support vectors or the like on
raw pixels), beside the vision transformer its convolutional rival on the same subsets with the same number of
steps. Prints one JSON line.
"""

import argparse
import json
import os
import platform
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from scipy.ndimage import zoom

from pomona.fit.baselines import baseline
from pomona.fit.evaluate import evaluate
from pomona.foundation.files import to_json, write_json
from pomona.foundation.randomness import stream
from pomona.foundation.run import temporary_run
from pomona.networks.build import build
from pomona.networks.cost import parameters
from pomona.networks.vit_checkpoint import read_vit
from pomona.networks.vit_insight import (
    position_similarity,
    row_column_similarity,
    share_of_shuffles,
    tokens_of,
)
from pomona.networks.vit_weights import whole_network
from pomona.nn.position_grid import resized_positions
from pomona.recipes.image_recognition import compare_data_sizes, train
from pomona.tasks import load_task

RESULT = Path(__file__).parent / "results" / "vit.json"
PEERS = Path(__file__).parents[1] / "tests" / "oracles" / "vit_peers.npz"

TRAININGS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "digits": ("digits", {}, {"epochs": 100}),
    "mnist": ("mnist", {}, {"epochs": 10}),
    "positions": ("moving-glyphs", {"num_train": 10000}, {"steps": 600, "augment": "none"}),
}
"""Part → task, its options, and what differs from the usual way of training."""

TARGETS = {"digits": 0.975, "mnist": 0.99}
SIZES = {
    "digit_sizes": ("digits", (40, 160, 640, 1260)),
    "glyph_sizes": ("moving-glyphs", (100, 1000, 10000)),
}
PARTS = ("digits", "mnist", "positions", *SIZES)


def main() -> None:
    """Measures what is asked for and prints it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    if not wanted.quick:
        train_all(wanted.only, wanted.seeds)
    print(to_json({"benchmark": "vit", "bars": [*computed_bars(), *recorded_bars()]}))


def computed_bars() -> list[dict[str, Any]]:
    """The bars that take seconds."""
    return [
        {
            "bar": "largest difference to timm and transformers, 10 networks",
            "target": 1e-5,
            "measured": peers(),
        },
        {"bar": "largest difference to scipy's zoom of positions", "target": 1e-6, "measured": resizing()},
    ]


def peers() -> float:
    """The largest difference between what our networks and those of the fixtures give."""
    recorded = dict(np.load(PEERS))
    largest = 0.0
    for name in sorted({key.partition("/")[0] for key in recorded}):
        start = f"{name}/files/"
        files = {
            k.removeprefix(start): v.astype(np.float32) for k, v in recorded.items() if k.startswith(start)
        }
        with TemporaryDirectory() as folder:
            Path(folder, "config.json").write_text(str(recorded[f"{name}/config"]))
            save_file(files, Path(folder, "model.safetensors"))
            spec, state = whole_network(read_vit(folder))
        network = build(spec, 0).eval()
        network.load_state_dict(state)
        with torch.inference_mode():
            (y,) = network({"image": torch.from_numpy(recorded[f"{name}/image"])}).values()
        largest = max(largest, float(np.abs(y.numpy() - recorded[f"{name}/output"]).max()))
    return largest


def resizing() -> float:
    """The largest difference between our positions of a finer grid and SciPy's."""
    positions = torch.randn(1 + 14 * 14, 64, generator=torch.Generator().manual_seed(0)).double()
    ours = resized_positions(positions, 1, (14, 14), (24, 24))[1:].numpy()
    theirs = zoom(positions[1:].numpy().reshape(14, 14, 64), (24 / 14, 24 / 14, 1), order=1)
    return float(np.abs(ours - theirs.reshape(-1, 64)).max())


def recorded_bars() -> list[dict[str, Any]]:
    """The bars that were trained for, from the result file; none where they were not yet."""
    if not RESULT.exists():
        return []
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    bars = []
    for name, target in TARGETS.items():
        if name in result:
            found = result[name]
            said = {"recorded": True, "seeds": len(found["accuracy"])}
            bars.append(bar(f"accuracy on the test split of {name}", target, found["mean"], **said))
            bars.append(bar(f"minutes of training on {name}", "minutes", found["minutes"], **said))
    if "positions" in result:
        found = result["positions"]
        said = {"recorded": True, "seeds": len(found["accuracy"])}
        alike = found["same"] - found["other"]
        bars.append(bar("cosine of positions in rows and columns less that of others", 0.0, alike, **said))
        most = max(found["shuffles_as_good"])
        bars.append(bar("share of shuffled grids whose rows and columns are as alike", 0.05, most, **said))
    rows = [row for part in SIZES for row in result.get(part, ())]
    if rows:
        bars.append(bar("who wins at which data size", "told", winners(rows), recorded=True))
    return bars


def bar(name: str, target: float | str, measured: Any, **said: Any) -> dict[str, Any]:
    """One bar, what it asks for and what was found."""
    return {"bar": name, "target": target, "measured": measured, **said}


def winners(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Task and number of training images → the network with the higher mean accuracy, and both of them."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(f"{row['task']}, {row['images']} images", {})[row["network"]] = row["mean"]
    return {
        place: f"{max(scores, key=lambda name: scores[name])}: "
        + ", ".join(f"{name} {score:.1%}" for name, score in scores.items())
        for place, scores in found.items()
    }


def train_all(parts: list[str], num_seeds: int) -> None:
    """Trains and records, part by part; what was recorded of other parts stays."""
    for part in parts:
        found = compared(part, num_seeds) if part in SIZES else trained(part, num_seeds)
        result = {
            "benchmark": "vit",
            "unit": "share of test images",
            "bar": "97.5 % on digits, 99 % on mnist, positions alike within rows and columns, 1e-5 to peers",
            "command": "python benchmarks/vit.py",
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, 1 thread, shared with other work",
            "date": time.strftime("%Y-%m-%d"),
        }
        recorded = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
        write_json(RESULT, {**recorded, **result, part: found})


def compared(part: str, num_seeds: int) -> list[dict[str, Any]]:
    """The vision transformer and its rival at every data size of one task."""
    name, sizes = SIZES[part]
    task = load_task(name, **({"num_train": max(sizes)} if name == "moving-glyphs" else {}))
    return [row.to_json() for row in compare_data_sizes(task, sizes, seeds=range(num_seeds))]


def trained(part: str, num_seeds: int) -> dict[str, Any]:
    """Accuracies on test over seeds, minutes of a training, and how alike positions became.

    Positions are looked at where things may stand anywhere: digits are always in the middle.
    """
    name, options, length = TRAININGS[part]
    task = load_task(name, **options)
    accuracy, same, other, chance, minutes = [], [], [], [], []
    started = time.process_time()
    for seed in range(num_seeds):
        with temporary_run(seed=seed, device="cpu", threads=1) as run:
            result = train(task, run=run, **length)
        network = build(result.spec, 0)
        network.load_state_dict(result.state)
        accuracy.append(evaluate(network, task, "test")["accuracy"])
        tokens = tokens_of(network)
        assert tokens is not None
        similarity = position_similarity(tokens)
        pair = row_column_similarity(similarity)
        same.append(pair[0])
        other.append(pair[1])
        chance.append(share_of_shuffles(similarity, generator=stream(seed, "shuffled grids")))
        minutes.append(result.seconds / 60)
    processor = (time.process_time() - started) / 60 / num_seeds
    cheap = baseline(task, seed=0)
    return {
        "accuracy": accuracy,
        "mean": float(np.mean(accuracy)),
        "lowest": min(accuracy),
        "same": float(np.mean(same)),
        "other": float(np.mean(other)),
        "shuffles_as_good": chance,
        "minutes": float(np.mean(minutes)),
        "processor_minutes": processor,
        **length,
        "parameters": parameters(result.spec),
        "baseline": cheap.name,
        "baseline_accuracy": cheap.test["accuracy"],
    }


if __name__ == "__main__":
    main()
