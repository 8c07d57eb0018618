"""What both pipelines cost: throughput, latency, processor time, memory, further people, hours, megabytes."""

import contextlib
import importlib.metadata
import json
import os
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from holistic_frames import ASTRONAUT, CLIP_HEIGHT, CLIP_WIDTH, MESSI, View, pan_and_zoom, read_photo
from holistic_peer import Peer
from packaging.requirements import Requirement

from pomona.foundation.assets import fetch
from pomona.foundation.randomness import stream
from pomona.foundation.statistics import bootstrap_interval

FRAME_S = 0.033333
SCENES: dict[str, tuple[str, View]] = {
    "everything visible": ("opencv-samples/messi5.jpg", MESSI),
    "hands absent": ("scikit-image-samples/astronaut.png", ASTRONAUT),
}
BARS = {("everything visible", 2): 1.6, ("hands absent", 2): 2.0, ("everything visible", 1): 1.1}
Start = Callable[..., tuple[Peer, Peer]]


def clip(scene: str, frames: int) -> list[np.ndarray]:
    """Frames of the swaying camera."""
    asset, window = SCENES[scene]
    photo = read_photo(fetch(asset))
    return [pan_and_zoom(photo, number, window) for number in range(frames)]


def speed(start: Start, rounds: int, frames: int) -> dict[str, Any]:
    """Frames a second over a clip in memory, both in turn, on two cores and on one; and memory."""
    rows = []
    for (scene, cores), bar in [*BARS.items(), (("hands absent", 1), None)]:
        ours, theirs = start(cores=cores)
        with ours, theirs:
            for peer in (ours, theirs):
                peer.open()
                peer.load(clip(scene, frames))
                peer.clip()
            found = in_turn(ours, theirs, rounds)
        rows.append({"scene": scene, "cores": cores, **found, "bar": bar})
    return {"rows": rows, **processor_share(start, frames), "memory": memory(start), "rounds": rounds}


def in_turn(ours: Peer, theirs: Peer, rounds: int) -> dict[str, float]:
    """Times a frame of both, the ratio of theirs to ours and its interval; who is first changes."""
    times: dict[str, list[dict[str, float]]] = {ours.engine: [], theirs.engine: []}
    for number in range(rounds):
        for peer in (ours, theirs) if number % 2 else (theirs, ours):
            times[peer.engine].append(peer.clip())
    ms, cpu = (
        {who: np.array([one[key] / one["frames"] for one in found]) for who, found in times.items()}
        for key in ("ms", "cpu_ms")
    )
    ratios = ms[theirs.engine] / ms[ours.engine]
    interval = bootstrap_interval(
        ratios, generator=stream(0, "ratios"), statistic=np.median, method="percentile"
    )
    return {
        "ours_ms": float(np.median(ms[ours.engine])),
        "mediapipe_ms": float(np.median(ms[theirs.engine])),
        "times_as_fast": float(np.median(ratios)),
        "low": interval.low,
        "high": interval.high,
        "ours_cpu_ms": float(np.median(cpu[ours.engine])),
        "mediapipe_cpu_ms": float(np.median(cpu[theirs.engine])),
    }


def processor_share(start: Start, frames: int) -> dict[str, float]:
    """Our processor time a frame over that of the models it ran, one thread, one core; the bar is 1.1."""
    ours, theirs = start(cores=1)
    with ours, theirs:
        ours.count_models()
        ours.open(threads=1)
        ours.load(clip("everything visible", frames))
        ours.clip()
        found = [ours.clip() for _ in range(3)]
    shares = [one["cpu_ms"] / one["model_cpu_ms"] for one in found]
    models = float(np.median([one["model_cpu_ms"] / one["frames"] for one in found]))
    return {"cpu_over_models": float(np.median(shares)), "model_cpu_ms": models}


def memory(start: Start) -> dict[str, float]:
    """The most memory each process had after 300 frames, eight of them held; the bar is 300 MB for ours."""
    ours, theirs = start(cores=2)
    peaks = {}
    with ours, theirs:
        for peer in (ours, theirs):
            peer.open()
            peer.load(clip("everything visible", 8))
            peer.clip(turns=38)
            peaks[f"{peer.engine}_mb"] = peer.status()["peak_mb"]
    return peaks


def latency(start: Start, frames: int) -> dict[str, Any]:
    """Milliseconds from a frame to its landmarks, frame by frame in turn, on two cores and on one."""
    rows = []
    for scene in SCENES:
        for cores in (2, 1):
            ours, theirs = start(cores=cores)
            with ours, theirs:
                images = clip(scene, 100)
                times: dict[str, list[float]] = {"pomona": [], "mediapipe": []}
                for peer in (ours, theirs):
                    peer.open()
                for number in range(frames + 20):
                    for peer in (ours, theirs) if number % 2 else (theirs, ours):
                        answer = peer.frame(images[number % 100], number * FRAME_S)
                        if number >= 20:
                            times[peer.engine].append(answer.ms)
            row: dict[str, Any] = {"scene": scene, "cores": cores}
            for who, found in times.items():
                row |= {
                    f"{who}_ms": float(np.median(found)),
                    f"{who}_p95_ms": float(np.percentile(found, 95)),
                }
            rows.append({**row, "ratio": row["pomona_ms"] / row["mediapipe_ms"]})
    return {"rows": rows, "frames": frames}


def people(start: Start, rounds: int, frames: int) -> dict[str, Any]:
    """What two and four people cost on one canvas of 1280 x 960, over what the first one costs."""
    rows = []
    for cores in (2, 1):
        ours, theirs = start(cores=cores)
        with ours, theirs:
            costs = {}
            for count in (1, 2, 4):
                images = crowd(count, frames)
                ours.open(people=count)
                seen = [
                    len(ours.frame(image, number * FRAME_S).people) for number, image in enumerate(images)
                ]
                ours.load(images)
                ours.clip()
                runs = [ours.clip() for _ in range(rounds)]
                costs[count] = [
                    float(np.median([run[key] / frames for run in runs])) for key in ("ms", "cpu_ms")
                ]
                row = {"cores": cores, "people": count, "found": float(np.median(seen[5:]))}
                row |= {"ms": costs[count][0], "cpu_ms": costs[count][1]}
                for name, index in (("a_further_person", 0), ("a_further_person_cpu", 1)):
                    extra = costs[count][index] - costs[1][index]
                    row[name] = extra / (count - 1) / costs[1][index] if count > 1 else None
                rows.append(row)
    return {"rows": rows}


def crowd(count: int, frames: int) -> list[np.ndarray]:
    """Frames with the same player `count` times, each in a quarter of the canvas and at another time."""
    photo = read_photo(fetch("opencv-samples/messi5.jpg"))
    images = []
    for number in range(frames):
        canvas = np.full((2 * CLIP_HEIGHT, 2 * CLIP_WIDTH, 3), 110, np.uint8)
        for place in range(count):
            top, left = place // 2 * CLIP_HEIGHT, place % 2 * CLIP_WIDTH
            canvas[top : top + CLIP_HEIGHT, left : left + CLIP_WIDTH] = pan_and_zoom(
                photo, number + 17 * place
            )
        images.append(canvas)
    return images


def endurance(start: Start, minutes: float) -> dict[str, Any]:
    """Memory and time a frame over a looped video of so many minutes at 30 frames a second; ours only.

    Drift is that of processor time: wall time drifts with whatever else the machine does.
    """
    ours, theirs = start(cores=2)
    images = clip("everything visible", 90)
    memories, times = [], []
    with ours, theirs:
        ours.open()
        ours.load(images)
        ours.clip()
        # an interrupt ends the video, and what was measured counts
        with contextlib.suppress(KeyboardInterrupt):
            for _ in range(max(round(minutes * 2), 4)):  # each turn is half a minute of video
                run = ours.clip(turns=10)
                memories.append(ours.status()["rss_mb"])
                times.append((run["cpu_ms"] / run["frames"], run["ms"] / run["frames"]))
    tenth = max(len(times) // 10, 1)
    first, last = (np.median(part, axis=0).tolist() for part in (times[:tenth], times[-tenth:]))
    return {
        "minutes_of_video": len(times) / 2,
        "memory_first_mb": memories[0],
        "memory_last_mb": memories[-1],
        "memory_growth_mb": float(np.median(memories[-tenth:]) - np.median(memories[:tenth])),
        "cpu_ms_first": first[0],
        "cpu_ms_last": last[0],
        "cpu_drift": last[0] / first[0],
        "ms_first": first[1],
        "ms_last": last[1],
    }


def install(peer_python: str) -> dict[str, Any]:
    """Megabytes that the extra `perceive` adds to an install, and those of MediaPipe's environment."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    core = closure(project["dependencies"])
    added = closure(project["optional-dependencies"]["perceive"]) - core
    sizes = {name: installed_mb(name) for name in sorted(added)}
    question = "import json, sysconfig; print(json.dumps(sysconfig.get_path('purelib')))"
    answer = subprocess.run([peer_python, "-c", question], capture_output=True, text=True, check=True)
    folder = Path(json.loads(answer.stdout))
    theirs = sum(
        path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    )
    return {"added": sizes, "added_mb": sum(sizes.values()), "mediapipe_mb": theirs / 1e6}


def closure(requirements: list[str]) -> set[str]:
    """The names of the distributions that these requirements pull in, themselves included."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        requirement = waiting.pop()
        name = requirement.name.lower().replace("_", "-")
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        waiting += [Requirement(line) for line in lines]
    return found


def installed_mb(name: str) -> float:
    """The size of a distribution's files."""
    files = importlib.metadata.files(name) or []
    paths = [Path(file.locate()) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def first_cores(count: int) -> set[int]:
    """The first cores that this process may use."""
    return set(sorted(os.sched_getaffinity(0))[:count])
