"""How faithful, fast and good LEAF is: every bar of the issue, ours and speechbrain's Leaf in turn.

    python benchmarks/leaf.py --quick                    all bars in one JSON line, three minutes at most
    python benchmarks/leaf.py speed --peer PYTHON        PYTHON is an interpreter with peers/speechbrain.txt
    python benchmarks/leaf.py narrow-band | gain-shift | spoken-digits | sound-tasks

The trainings take `--seeds` seeds (5) and `--front-ends` and write benchmarks/results/leaf_NAME.json, from
which `--quick` reads them; such bars are marked "recorded".
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pomona.foundation.files import to_json, write_json
from pomona.foundation.run import temporary_run
from pomona.networks.leaf import load_leaf
from pomona.nn.front_end_stream import FrontEndStream
from pomona.nn.front_ends import FRONT_ENDS, leaf
from pomona.recipes import audio

RESULTS = Path(__file__).parent / "results"
FIXTURE = Path(__file__).parents[1] / "tests" / "oracles" / "leaf_speechbrain.npz"

TRAININGS: dict[str, tuple[Callable[..., audio.Trial], tuple[str, ...], str]] = {
    "narrow-band": (audio.narrow_band, ("log-mel", "log-mel/40", "leaf"), "LEAF 0.2 above log-mel on test"),
    "gain-shift": (
        audio.gain_shift,
        ("mel", "log-mel", "pcen-mel", "leaf"),
        "LEAF above mel 20 dB down and up",
    ),
    "spoken-digits": (audio.spoken_digits, tuple(FRONT_ENDS), "reported"),
    "sound-tasks": (audio.sound_tasks, ("log-mel", "leaf"), "reported"),
}
"""Name → recipe, front ends (with how many filters after a slash), bar."""

BATCH, SECONDS, ROUNDS = 16, 1, 25

PEER = """
import json, sys, time, torch
sys.path.insert(0, sys.argv[1])
import leaf_speechbrain
leaf_speechbrain.stand_in_for_torchaudio()
from speechbrain.lobes.features import Leaf
torch.set_num_threads(1)
model = Leaf(40, window_len=25.0, window_stride=10.0, in_channels=1, max_freq=7800.0)
x = torch.randn(int(sys.argv[2]), int(sys.argv[3]))
for line in sys.stdin:
    start = time.process_time()
    model(x).square().mean().backward()
    print(json.dumps(time.process_time() - start), flush=True)
"""


def main() -> None:
    """Runs what was asked for and prints one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", choices=["speed", *TRAININGS])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peer", default="python")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--front-ends", default="")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    if wanted.quick or not wanted.what:
        print(to_json({"benchmark": "leaf", "bars": quick_bars()}))
    elif wanted.what == "speed":
        print(to_json(record("speed", measured_speed(wanted.peer), "at least 2")))
    else:
        recipe, usual, bar = TRAININGS[wanted.what]
        chosen = tuple(filter(None, wanted.front_ends.split(","))) or usual
        for front_end in chosen:
            found = joined(wanted.what, trained(wanted.what, recipe, front_end, wanted.seeds))
            result = record(wanted.what, found, bar)
        print(to_json(result))


def quick_bars() -> list[dict[str, Any]]:
    """Every bar, the cheap ones measured now, the others as they were recorded."""
    bars = [
        entry("largest difference from speechbrain's Leaf", "at most 1e-4", parity()),
        entry("largest difference of streaming from batch, float64", "at most 1e-9", streaming()),
        entry("weights of 40 and 64 filters", "280 and 448", [size(40), size(64)]),
        entry("seconds of forward and backward, 16 s of sound", "reported", float(np.median(own_times(3)))),
    ]
    for name, read, target in RECORDED:
        path = RESULTS / f"leaf_{name}.json"
        found = read(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
        bars.append({**entry(f"{name}", target, found), "recorded": True})
    return bars


def entry(bar: str, target: str, measured: Any) -> dict[str, Any]:
    """One line of the result."""
    return {"bar": bar, "target": target, "measured": measured}


def parity() -> float:
    """How far our output is from the recorded one, with the same weights."""
    recorded = np.load(FIXTURE)
    start = "trained/weights/"
    weights = {key.removeprefix(start): torch.from_numpy(recorded[key]) for key in recorded if start in key}
    front_end = leaf(16_000, 40, 401, 160, faithful=True)
    load_leaf(front_end, weights)
    with torch.no_grad():
        y = front_end(torch.from_numpy(recorded["sound"])).numpy()
    return float(np.abs(y - recorded["trained/output"]).max())


@torch.no_grad()
def streaming() -> float:
    """How far frames of a stream, pushed in pieces of 500 samples, are from those of the whole."""
    front_end = leaf(16_000, 40, 401, 160).double()
    x = sound(2, 16_000).double()
    stream = FrontEndStream(front_end)
    frames = [stream.push(piece) for piece in x.split(500, 1)]
    return float((torch.cat([*frames, stream.finish()], 1) - front_end(x)).abs().max())


def size(num_filters: int) -> int:
    """How many weights are learned."""
    return sum(parameter.numel() for parameter in leaf(16_000, num_filters, 401, 160).parameters())


def measured_speed(peer: str) -> dict[str, Any]:
    """Processor time of forward and backward of both, round by round in turn, and the ratio of the best."""
    arguments = [peer, "-c", PEER, str(FIXTURE.parent), str(BATCH), str(SECONDS * 16_000)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    theirs, ours = [], []
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(ROUNDS + 1):
            process.stdin.write("again\n")
            process.stdin.flush()
            theirs.append(float(json.loads(process.stdout.readline())))
            ours.append(own_times(1)[0])
        process.stdin.close()
    # the first round warms up; what else the machine does only ever adds time, so each one's best counts
    ratios = np.array(theirs[1:]) / np.array(ours[1:])
    return {
        "ratio": min(theirs[1:]) / min(ours[1:]),
        "ratio_median_of_rounds": float(np.median(ratios)),
        "ratio_least": float(ratios.min()),
        "ratio_most": float(ratios.max()),
        "ours_s": min(ours[1:]),
        "speechbrain_s": min(theirs[1:]),
        "rounds": ROUNDS,
    }


def own_times(rounds: int) -> list[float]:
    """Processor seconds of forward and backward, each."""
    front_end, x, times = leaf(16_000, 40, 401, 160), sound(BATCH, SECONDS * 16_000), []
    for _ in range(rounds):
        start = time.process_time()
        front_end(x).square().mean().backward()
        times.append(time.process_time() - start)
    return times


def sound(batch: int, samples: int) -> Tensor:
    """White noise."""
    return torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))


def trained(name: str, recipe: Callable[..., audio.Trial], front_end: str, num_seeds: int) -> dict[str, Any]:
    """Accuracies by split, means over seeds and each, and how far what was learned moved."""
    trials, (kind, _, filters) = [], front_end.partition("/")
    more = {"filters": int(filters)} if filters else {}
    for seed in range(num_seeds):
        with temporary_run(seed=seed, device="cpu", threads=1) as run:
            trials.append(recipe(kind, run=run, **more))
    case: dict[str, Any] = {"front_end": front_end}
    for split in trials[0].scores:
        for target, values in accuracies(trials, split).items() if split != "valid" else ():
            column = f"{split} {target}".rstrip()
            case[column] = float(np.mean(values))
            case[f"{column} each"] = [round(value, 3) for value in values]
    case["seconds"] = float(np.mean([one.seconds for one in trials]))
    print(f"{name}: {case}", file=sys.stderr, flush=True)
    return {"cases": [case], "movements": moved(front_end, trials), "seeds": num_seeds}


def accuracies(trials: list[audio.Trial], split: str) -> dict[str, list[float]]:
    """Target, empty where there is one only → the accuracy of every trial."""
    names = [name for name in trials[0].scores[split] if name.rpartition("/")[2] == "accuracy"]
    return {name.rpartition("/")[0]: [one.scores[split][name] for one in trials] for name in names}


def moved(front_end: str, trials: list[audio.Trial]) -> list[dict[str, Any]]:
    """The median and the largest change of everything learned, as shares of the start, means over seeds."""
    return [
        {
            "front_end": front_end,
            "quantity": movement.quantity,
            "median_change": float(np.mean([one.movements[place].share for one in trials])),
            "largest_change": float(np.mean([one.movements[place].most for one in trials])),
        }
        for place, movement in enumerate(trials[0].movements)
    ]


def record(name: str, found: dict[str, Any], bar: str) -> dict[str, Any]:
    """Writes the result and returns it."""
    units = {"speed": "processor time of speechbrain's Leaf / of ours, forward and backward, one thread"}
    result = {
        "benchmark": f"leaf_{name}",
        "unit": units.get(name, "accuracy, mean over seeds"),
        "bar": bar,
        "command": f"python benchmarks/leaf.py {name}",
        **found,
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "date": time.strftime("%Y-%m-%d"),
    }
    write_json(RESULTS / f"leaf_{name}.json", result)
    return result


def joined(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """With the recorded rows of front ends that were not run this time, when there are as many seeds."""
    path = RESULTS / f"leaf_{name}.json"
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if old.get("seeds") != found["seeds"]:
        return found
    run = {case["front_end"] for case in found["cases"]}
    kept = {key: [row for row in old[key] if row["front_end"] not in run] for key in ("cases", "movements")}
    return {**found, **{key: kept[key] + found[key] for key in kept}}


def of(result: dict[str, Any], front_end: str, split: str) -> float:
    """The mean accuracy of a front end on a split."""
    return next(case[split] for case in result["cases"] if case["front_end"] == front_end)


def by_front_end(result: dict[str, Any]) -> dict[str, float]:
    """Front end → its mean accuracy on test."""
    return {case["front_end"]: case["test"] for case in result["cases"]}


RECORDED: tuple[tuple[str, Callable[[dict[str, Any]], Any], str], ...] = (
    ("speed", lambda result: result["ratio"], "at least 2 times as fast as speechbrain's Leaf"),
    (
        "narrow-band",
        lambda result: of(result, "leaf", "test") - of(result, "log-mel", "test"),
        "LEAF at least 0.2 above log-mel",
    ),
    (
        "gain-shift",
        lambda result: {
            front_end: {split: of(result, front_end, split) for split in ("quieter", "louder")}
            for front_end in by_front_end(result)
        },
        "LEAF above mel 20 dB down and up",
    ),
    ("spoken-digits", by_front_end, "reported for all front ends, 5 seeds"),
    ("sound-tasks", lambda result: result["cases"], "reported: one front end for four targets"),
)
"""Result → what is read from it, and the bar."""


if __name__ == "__main__":
    main()
