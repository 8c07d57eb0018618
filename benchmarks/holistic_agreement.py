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
from pomona.foundation.randomness import stream

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "oracles"))
from holistic_frames import CLIP_ASSET, CLIP_FRAMES, pan_and_zoom, read_photo, video_frames  # noqa: E402

PHOTOS = HERE / "holistic_photos.txt"
PARTS = ("pose", "left_hand", "right_hand", "face")
CLIPS = {
    "clip": CLIP_ASSET,
    "studio video": "pose2sim-samples/cam01.mp4",
    "street video": "sports2d-samples/demo.mp4",
}
FRAME_S = 0.033333
GRAIN = 0.001
POSE_POINTS = 33


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
        if len(theirs) == POSE_POINTS:
            self.visibilities.append(np.abs(ours[:, 3] - theirs[:, 3]))

    def row(self) -> dict[str, Any]:
        """The comparison in numbers."""
        row: dict[str, Any] = {"pictures": len(self.distances)}
        for name, share in (("median", 50), ("p95", 95), ("worst", 100)):
            found = np.concatenate(self.distances) if self.distances else None
            row[name] = None if found is None else float(np.percentile(found, share))
        row["presence_disagreements"] = len(self.disagreements)
        for name, values in (("z_median", self.depths), ("visibility_median", self.visibilities)):
            row[name] = float(np.median(np.concatenate(values))) if values else None
        return row


def parity(ours: Peer, theirs: Peer, samples: list[Path], limit: int | None) -> dict[str, Any]:
    """Stills by fresh pipelines at all complexities, refined faces, masks, and tracked clips."""
    pictures = list(photos(samples))[:limit]
    rows = still_rows(ours, theirs, pictures)
    refined, masks = {"face": Tally()}, []
    for name, image in pictures:
        options = {"irises": True, "mask": True}
        pair = ours.still(image, faithful=True, **options), theirs.still(image, **options)
        compare(refined, name, *pair)
        masks += mask_agreement(*pair)
    rows += reported("stills, refined", refined)
    rows += tracked_rows(ours, theirs)
    differences, overlaps = zip(*masks, strict=True)
    return {
        "comparisons": rows,
        "photos": len(pictures),
        "masks": len(masks),
        "mask_mean_difference": float(np.mean(differences)),
        "mask_median_overlap": float(np.median(overlaps)),
    }


def still_rows(ours: Peer, theirs: Peer, pictures: list[tuple[str, np.ndarray]]) -> list[dict[str, Any]]:
    """Every photo by itself; and MediaPipe beside itself on all but the same pixels, as what can be had."""
    rows = []
    for complexity in (1, 0, 2):
        tallies, floor = new_tallies(), new_tallies()
        for name, image in pictures:
            answer = theirs.still(image, complexity=complexity)
            compare(tallies, name, ours.still(image, faithful=True, complexity=complexity), answer)
            if complexity == 1:
                (noisy,) = grainy([image])
                compare(floor, name, theirs.still(noisy), answer)
        rows += reported(f"stills, complexity {complexity}", tallies)
        if complexity == 1:
            rows += reported("stills, MediaPipe beside itself", floor)
    return rows


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


def tracked_rows(ours: Peer, theirs: Peer) -> list[dict[str, Any]]:
    """Both sides on the clips; and MediaPipe beside itself on all but the same pixels, as what can be had."""
    rows = []
    for what in CLIPS:
        tallies, floor = new_tallies(), new_tallies()
        answers = list(tracked(theirs, clip(what)))
        for number, answer in enumerate(tracked(ours, clip(what), faithful=True)):
            compare(tallies, str(number), answer, answers[number])
        for number, answer in enumerate(tracked(theirs, grainy(clip(what)))):
            compare(floor, str(number), answer, answers[number])
        rows += reported(f"{what}, tracked", tallies)
        rows += reported(f"{what}, MediaPipe beside itself", floor)
    return rows


def clip(what: str) -> Iterator[np.ndarray]:
    """100 frames of the swaying camera or of a video of someone who walks."""
    if what == "clip":
        photo = read_photo(fetch(CLIP_ASSET))
        return (pan_and_zoom(photo, number) for number in range(CLIP_FRAMES))
    return islice(video_frames(fetch(CLIPS[what])), CLIP_FRAMES)


def grainy(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The frames with one value in a thousand one grey level brighter."""
    generator = stream(0, "grain")
    for image in frames:
        brighter = generator.random(image.shape) < GRAIN
        yield np.where(brighter & (image < 255), image + np.uint8(1), image)


def tracked(peer: Peer, frames: Iterable[np.ndarray], **options: Any) -> Iterator[Answer]:
    """A fresh pipeline's answers for frames in order."""
    peer.open(**options)
    for number, image in enumerate(frames):
        yield peer.frame(image, number * FRAME_S)


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


def reported(what: str, tallies: dict[str, Tally]) -> list[dict[str, Any]]:
    """The tallies as rows; said on standard error too, with the pictures where presence differs."""
    rows = [{"what": what, "part": part, **tally.row()} for part, tally in tallies.items()]
    for row, tally in zip(rows, tallies.values(), strict=True):
        print(row, "differ in presence:", ", ".join(tally.disagreements) or "none", file=sys.stderr)
    return rows
