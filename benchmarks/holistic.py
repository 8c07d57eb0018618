"""Pomona's holistic pipeline beside MediaPipe 0.10.21's, on the same pixels, in turn, in two environments.

    python benchmarks/holistic.py MEASURE --peer PYTHON [--samples FOLDER …] [--rounds 15] [--minutes 60]

PYTHON is that of an environment made from benchmarks/peers/mediapipe.txt; FOLDERs hold the unpacked packages
of holistic_photos.txt (parity, mirror). MEASURE is one of MEASURES, or all. Each writes
benchmarks/results/holistic_MEASURE.json and prints it as one JSON line.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holistic_agreement import parity
from holistic_peer import Peer
from holistic_speed import endurance, first_cores, install, latency, people, speed
from holistic_steadiness import jitter, mirror, recovery, transforms

from pomona.foundation.files import to_json, write_json

RESULTS = Path(__file__).parent / "results"

# name: (what is measured in which unit, the bar)
MEASURES: dict[str, tuple[str, str]] = {
    "parity": (
        "distance between ours (faithful) and MediaPipe's landmarks, in pixels; world landmarks in mm",
        "median 0.1 px on stills and 0.5 px on the clip for every part, no presence disagreement",
    ),
    "speed": (
        "time of MediaPipe / time of Pomona a frame of a clip in memory",
        "1.6 with everything visible and 2 with hands absent on two cores, 1.1 on one; processor time 1.1 of "
        "the models'; 300 MB",
    ),
    "latency": ("milliseconds from a frame to its landmarks", "ratio 1"),
    "jitter": (
        "standard deviation of landmarks on a still scene in pixels",
        "ratio 1 for pose, 0.5 for hands",
    ),
    "recovery": ("frames from a cut until a part is back in its place", "3"),
    "mirror": ("share of pairs that change places when the picture is mirrored", "1"),
    "transforms": (
        "distance from where a known turn or scale puts a landmark, in the part's size",
        "reported",
    ),
    "people": ("cost of a further person / cost of the first", "1.1"),
    "endurance": ("memory in MB and milliseconds a frame over a looped video", "no growth, no drift"),
    "install": ("megabytes on disk", "350 MB added by the extra perceive"),
}


def main() -> None:
    """Takes the wanted measure, or all."""
    wanted = arguments()
    for measure in MEASURES if wanted.measure == "all" else (wanted.measure,):
        unit, bar = MEASURES[measure]
        result = {
            "benchmark": f"holistic_{measure}",
            "unit": unit,
            "bar": bar,
            "command": f"python benchmarks/holistic.py {measure} {said(wanted)}".strip(),
            **take(measure, wanted),
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "date": time.strftime("%Y-%m-%d"),
        }
        write_json(RESULTS / f"holistic_{measure}.json", result)
        print(to_json(result))


def take(measure: str, wanted: argparse.Namespace) -> dict[str, Any]:
    """One measure."""

    def start(cores: int) -> tuple[Peer, Peer]:
        used = first_cores(cores)
        return Peer("pomona", cores=used), Peer("mediapipe", wanted.peer, cores=used)

    timed: dict[str, Callable[[], dict[str, Any]]] = {
        "speed": lambda: speed(start, wanted.rounds, wanted.frames),
        "latency": lambda: latency(start, wanted.rounds * 20),
        "people": lambda: people(start, max(wanted.rounds // 3, 1), wanted.frames),
        "endurance": lambda: endurance(start, wanted.minutes),
        "install": lambda: install(wanted.peer),
    }
    if measure in timed:
        return timed[measure]()
    ours, theirs = start(2)
    with ours, theirs:
        if measure in ("parity", "mirror"):
            compare = parity if measure == "parity" else mirror
            return compare(ours, theirs, wanted.samples, wanted.limit)
        return {"jitter": jitter, "recovery": recovery, "transforms": transforms}[measure](ours, theirs)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measure", choices=[*MEASURES, "all"])
    parser.add_argument("--peer", required=True, help="the Python of MediaPipe's environment")
    parser.add_argument("--samples", nargs="*", type=Path, default=[], help="folders with unpacked packages")
    parser.add_argument("--limit", type=int, help="at most so many pictures")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--frames", type=int, default=60, help="frames of a clip held in memory")
    parser.add_argument("--minutes", type=float, default=60, help="length of the looped video")
    return parser.parse_args()


def said(wanted: argparse.Namespace) -> str:
    """The flags that matter, without the places of this machine."""
    flags = ["--peer PYTHON"]
    if wanted.measure in ("parity", "mirror", "all") and wanted.samples:
        flags.append("--samples FOLDER …")
    if wanted.limit:
        flags.append(f"--limit {wanted.limit}")
    if wanted.measure in ("speed", "latency", "people", "all"):
        flags.append(f"--rounds {wanted.rounds} --frames {wanted.frames}")
    if wanted.measure in ("endurance", "all"):
        flags.append(f"--minutes {wanted.minutes:g}")
    return " ".join(flags)


if __name__ == "__main__":
    sys.exit(main())
