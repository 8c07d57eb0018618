"""Whether both pipelines say the same of the same pixels."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from holistic_peer import Answer, Peer

from pomona.foundation.assets import fetch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "oracles"))
from holistic_frames import CLIP_FRAMES, pan_and_zoom, read_photo, video_frames  # noqa: E402

PHOTOS = HERE / "holistic_photos.txt"
PARTS = ("pose", "left_hand", "right_hand", "face")
FRAME_S = 0.033333


@dataclass
class Tally:
    """What was compared of one part so far."""

    distances: list[np.ndarray] = field(default_factory=list)  # px, or mm for world landmarks
    depths: list[np.ndarray] = field(default_factory=list)  # px
    visibilities: list[np.ndarray] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)  # pictures where one side alone has the part

    def add(self, name: str, ours: np.ndarray | None, theirs: np.ndarray | None, is_world: bool) -> None:
        """Compares one part of one picture."""
        if (ours is None) != (theirs is None):
            self.disagreements.append(name)
        if ours is None or theirs is None:
            return
        ours = ours[: len(theirs)]
        if is_world:
            self.distances.append(1e3 * np.linalg.norm(ours[:, :3] - theirs[:, :3], axis=1))
            return
        self.distances.append(np.linalg.norm(ours[:, :2] - theirs[:, :2], axis=1))
        self.depths.append(np.abs(ours[:, 2] - theirs[:, 2]))
        if ours.shape[1] == 5:
            self.visibilities.append(np.abs(ours[:, 3] - theirs[:, 3]))

    def row(self) -> dict[str, Any]:
        """The comparison in numbers."""
        all_distances = np.concatenate(self.distances or [np.array([np.nan])])
        row = {
            "pictures": len(self.distances),
            "median": float(np.median(all_distances)),
            "p95": float(np.percentile(all_distances, 95)),
            "worst": float(all_distances.max()),
            "presence_disagreements": len(self.disagreements),
        }
        for name, values in (("z_median", self.depths), ("visibility_median", self.visibilities)):
            row[name] = float(np.median(np.concatenate(values))) if values else None
        return row


def parity(ours: Peer, theirs: Peer, samples: list[Path], limit: int | None) -> dict[str, Any]:
    """Stills by fresh pipelines at all complexities, refined faces, masks, and a tracked clip."""
    pictures = list(photos(samples))[:limit]
    rows: list[dict[str, Any]] = []
    for complexity in (1, 0, 2):
        tallies = new_tallies()
        for name, image in pictures:
            compare(
                tallies,
                name,
                ours.still(image, faithful=True, complexity=complexity),
                theirs.still(image, complexity=complexity),
            )
        rows += as_rows(f"stills, complexity {complexity}", tallies)
        report(rows[-len(tallies) :], tallies)
    refined, masks = new_tallies(), []
    for name, image in pictures:
        options = {"irises": True, "mask": True}
        pair = ours.still(image, faithful=True, **options), theirs.still(image, **options)
        compare(refined, name, *pair)
        masks += mask_agreement(*pair)
    rows += as_rows("stills, refined", {"face": refined["face"]})
    report(rows[-1:], {"face": refined["face"]})
    for what, frames in clips().items():
        clip = new_tallies()
        for number, pair in enumerate(tracked(ours, theirs, frames)):
            compare(clip, str(number), *pair)
        rows += as_rows(f"{what}, tracked", clip)
        report(rows[-len(clip) :], clip)
    differences, overlaps = zip(*masks, strict=True)
    return {
        "comparisons": rows,
        "photos": len(pictures),
        "masks": len(masks),
        "mask_mean_difference": float(np.mean(differences)),
        "mask_median_overlap": float(np.median(overlaps)),
    }


def photos(samples: list[Path]) -> Iterator[tuple[str, np.ndarray]]:
    """The pictures of the list that lie under one of the folders; others are named on standard error."""
    lines = PHOTOS.read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("# ")]
    videos: dict[Path, list[int]] = {}
    for name in names:
        place, _, frame = name.partition("#")
        path = next((root / place for root in samples if (root / place).exists()), None)
        if path is None:
            print(f"{name} is under none of the sample folders", file=sys.stderr)
        elif frame:
            videos.setdefault(path, []).append(int(frame))
        else:
            yield name, read_photo(path)
    for path, numbers in videos.items():
        for number, image in zip(range(max(numbers) + 1), video_frames(path), strict=False):
            if number in numbers:
                yield f"{path.name}#{number}", image


def clips() -> dict[str, Iterator[np.ndarray]]:
    """The swaying camera, and people who walk: 100 frames each."""
    photo = read_photo(fetch("opencv-samples/messi5.jpg"))
    videos = {"studio video": "pose2sim-samples/cam01.mp4", "street video": "sports2d-samples/demo.mp4"}
    frames = {name: islice(video_frames(fetch(asset)), CLIP_FRAMES) for name, asset in videos.items()}
    return {"clip": (pan_and_zoom(photo, number) for number in range(CLIP_FRAMES)), **frames}


def tracked(ours: Peer, theirs: Peer, frames: Iterable[np.ndarray]) -> Iterator[tuple[Answer, Answer]]:
    """Both sides' answers for frames in order."""
    ours.open(faithful=True)
    theirs.open()
    for number, image in enumerate(frames):
        yield ours.frame(image, number * FRAME_S), theirs.frame(image)


def new_tallies() -> dict[str, Tally]:
    return {name: Tally() for name in (*PARTS, "pose_world")}


def compare(tallies: dict[str, Tally], name: str, ours: Answer, theirs: Answer) -> None:
    """Adds one picture to the tallies."""
    for part, tally in tallies.items():
        tally.add(name, ours.parts.get(part), theirs.parts.get(part), part == "pose_world")


def mask_agreement(ours: Answer, theirs: Answer) -> list[tuple[float, float]]:
    """The mean difference of the masks, 0 to 1, and intersection over union; nothing where a mask lacks."""
    if "mask" not in ours.parts or "mask" not in theirs.parts or "pose" not in theirs.parts:
        return []
    first, second = ours.parts["mask"].astype(int), theirs.parts["mask"].astype(int)
    either = ((first > 127) | (second > 127)).sum()
    both = ((first > 127) & (second > 127)).sum()
    return [(float(np.abs(first - second).mean() / 255), float(both / max(either, 1)))]


def as_rows(what: str, tallies: dict[str, Tally]) -> list[dict[str, Any]]:
    return [{"what": what, "part": part, **tally.row()} for part, tally in tallies.items()]


def report(rows: Iterable[dict[str, Any]], tallies: dict[str, Tally]) -> None:
    """Says on standard error how it stands, and where presence differs."""
    for row in rows:
        print(row, file=sys.stderr)
    for part, tally in tallies.items():
        if tally.disagreements:
            print(f"{part} differs in presence: {', '.join(tally.disagreements)}", file=sys.stderr)
