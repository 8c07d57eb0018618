"""How still landmarks stand, how soon they are back, and whether they follow a turned picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from holistic_agreement import PARTS, photos
from holistic_frames import ASTRONAUT, MESSI, STILLS, View, pan_and_zoom, read_photo, read_still
from holistic_peer import Answer, Peer

from pomona.foundation.assets import fetch
from pomona.foundation.randomness import stream

FRAME_S = 0.033333
SETTLING_FRAMES, STILL_FRAMES = 50, 100
SCENE_FRAMES = 30
BACK = 0.1  # a part is back when it is within this share of its size of where it settles, in the median
SIDES = {"shoulders": (11, 12), "elbows": (13, 14), "wrists": (15, 16), "hips": (23, 24), "knees": (25, 26)}
SEEN = 0.5  # the visibility from which a side is compared


def jitter(ours: Peer, theirs: Peer) -> dict[str, Any]:
    """How far landmarks stray on one scene shot again and again, in pixels, and how far from frame to frame.

    Noise of the camera is 0 or 2 grey levels a pixel. Compared are the points that both put into the frame.
    """
    rows = []
    for scene, image in scenes().items():
        for noise in (0.0, 2.0):
            ours_tracks, their_tracks = (tracks_of(peer, image, noise) for peer in (ours, theirs))
            for part in ours_tracks.keys() & their_tracks.keys():
                row = {"scene": scene, "noise": noise, "part": part}
                pair = ours_tracks[part], their_tracks[part]
                inside = [in_frame(track.mean(axis=0), image) for track in pair]
                common = inside[0] & inside[1]
                row |= stray([track[:, common] for track in pair])
                rows.append({**row, "bar": {"pose": 1.0, "left_hand": 0.5, "right_hand": 0.5}.get(part)})
    rows.sort(key=lambda row: PARTS.index(row["part"]))
    summary = {}
    for part in PARTS:
        pairs = [(row["ours_px"], row["mediapipe_px"]) for row in rows if row["part"] == part]
        if pairs:
            first, second = np.median(np.array(pairs), axis=0)
            summary[part] = {"ours_px": float(first), "mediapipe_px": float(second), "ratio": first / second}
    return {**summary, "rows": rows, "frames": STILL_FRAMES}


def tracks_of(peer: Peer, image: np.ndarray, noise: float) -> dict[str, np.ndarray]:
    """The places of each part's points in the frames after the first, for parts found in most."""
    generator = stream(0, "camera noise")
    peer.open()
    seen: dict[str, list[np.ndarray]] = {part: [] for part in PARTS}
    for number in range(SETTLING_FRAMES + STILL_FRAMES):
        grain = generator.normal(0, noise, image.shape) if noise else 0
        frame = np.clip(np.rint(image + grain), 0, 255).astype(np.uint8)
        parts = peer.frame(frame, number * FRAME_S).parts
        if number >= SETTLING_FRAMES:
            for part in set(PARTS) & set(parts):
                seen[part].append(parts[part][:468, :2].astype(float))
    return {part: np.stack(found) for part, found in seen.items() if len(found) > STILL_FRAMES // 2}


def in_frame(points: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Which points lie in the picture."""
    return ((points >= 0) & (points < image.shape[1::-1])).all(axis=1)


def stray(pair: list[np.ndarray]) -> dict[str, float]:
    """The mean over points of the standard deviation over time, and of the step from frame to frame."""
    numbers = {}
    for name, track in zip(("ours", "mediapipe"), pair, strict=True):
        numbers[f"{name}_px"] = float(np.sqrt(track.var(axis=0).sum(axis=1)).mean())
        steps = np.diff(track, axis=0)
        numbers[f"{name}_step_px"] = float(np.sqrt((steps**2).sum(axis=2).mean(axis=0)).mean())
    numbers["ratio"] = numbers["ours_px"] / numbers["mediapipe_px"]
    return numbers


def recovery(ours: Peer, theirs: Peer) -> dict[str, Any]:
    """After how many frames every part is back in its place when the picture is cut; 0 is the cut's frame.

    The bar is 3 frames. Scenes stand still, so that where a part settles is known.
    """
    order = ["messi", "basketball1", "astronaut", "mirrored messi", "basketball2", "nothing", "messi"]
    rows = []
    for peer in (theirs, ours):
        views = {**scenes(), "nothing": np.full((480, 640, 3), 110, np.uint8)}
        peer.open()
        number, before = 0, "nothing"
        for scene in order:
            answers = []
            for _ in range(SCENE_FRAMES):
                answers.append(peer.frame(views[scene], number * FRAME_S))
                number += 1
            for part, frames in back_after(answers).items():
                rows.append(
                    {"who": peer.engine, "cut": f"{before} to {scene}", "part": part, "frames": frames}
                )
            before = scene
    worst = {}
    for who in ("pomona", "mediapipe"):
        counts = [row["frames"] for row in rows if row["who"] == who]
        worst[who] = {
            "worst_frames": max(counts),
            "mean_frames": float(np.mean(counts)),
            "parts": len(counts),
        }
    return {"rows": rows, **worst}


def back_after(answers: list[Answer]) -> dict[str, int]:
    """For each part that is there in the end: the first frame from which on it is there, in its place."""
    found = {}
    for part in PARTS:
        tracks = [answer.parts.get(part) for answer in answers]
        last = [track for track in tracks[-10:] if track is not None]
        if len(last) < 8:
            continue
        settled = np.median(np.stack(last)[..., :2], axis=0)
        size = np.linalg.norm(np.nanmax(settled, axis=0) - np.nanmin(settled, axis=0))
        near = [
            track is not None and np.nanmedian(np.linalg.norm(track[:, :2] - settled, axis=1)) < BACK * size
            for track in tracks
        ]
        found[part] = next((number for number, is_near in enumerate(near) if is_near), len(near))
    return found


def scenes() -> dict[str, np.ndarray]:
    """Pictures of 640 x 480 with one person who matters."""
    messi = view("opencv-samples/messi5.jpg", MESSI)
    return {
        "messi": messi,
        "mirrored messi": np.ascontiguousarray(messi[:, ::-1]),
        "basketball1": read_photo(fetch("opencv-samples/basketball1.png")),
        "basketball2": read_photo(fetch("opencv-samples/basketball2.png")),
        "astronaut": view("scikit-image-samples/astronaut.png", ASTRONAUT),
    }


def view(asset: str, window: View) -> np.ndarray:
    return pan_and_zoom(read_photo(fetch(asset)), 0, window)


def stills() -> Iterator[tuple[str, np.ndarray]]:
    """The photos and frames of tests/oracles, fetched where they are not at hand."""
    for still in STILLS:
        yield still.name, read_still(fetch(still.path).parents[1], still)


def mirror(ours: Peer, theirs: Peer, samples: list[Path], limit: int | None) -> dict[str, Any]:
    """Whether left and right change places, and only they do, when a picture is mirrored; the bar is all.

    For the limbs of the pose that are seen in both pictures, and for hands found in both: the mirror image of
    the left one must be nearer to the right one than to the left one.
    """
    rows = []
    pictures = {"samples": list(stills()), "all pictures": list(photos(samples))[:limit] if samples else []}
    for which, images in pictures.items():
        for peer in (ours, theirs) if images else ():
            right, wrong, lost = 0, [], 0
            for name, image in images:
                plain = peer.still(image).parts
                turned = flipped(peer.still(np.ascontiguousarray(image[:, ::-1])).parts, image.shape[1])
                agreed, broken, missing = compare_sides(plain, turned)
                right, lost = right + agreed, lost + missing
                wrong += [f"{name} {limb}" for limb in broken]
            total = right + len(wrong)
            rows.append(
                {
                    "pictures": which,
                    "who": peer.engine,
                    "consistent": right / total if total else None,
                    "compared": total,
                    "hands_in_one_only": lost,
                    "swapped": ", ".join(wrong),
                }
            )
    return {"rows": rows}


def flipped(parts: dict[str, np.ndarray], width: int) -> dict[str, np.ndarray]:
    """Parts found in a mirrored picture, laid back over the plain one; names are kept."""
    back = {name: array.copy() for name, array in parts.items() if name in PARTS}
    for array in back.values():
        array[:, 0] = width - array[:, 0]
    return back


def compare_sides(plain: dict, turned: dict) -> tuple[int, list[str], int]:
    """How many pairs changed places as they should, which did not, and hands that one picture lacks."""
    agreed, broken, missing = 0, [], 0
    if "pose" in plain and "pose" in turned:
        for limb, (left, right) in SIDES.items():
            first, second = plain["pose"], turned["pose"]
            if min(first[[left, right], 3].min(), second[[left, right], 3].min()) < SEEN:
                continue
            crossed = distance(first[left], second[right]) + distance(first[right], second[left])
            straight = distance(first[left], second[left]) + distance(first[right], second[right])
            if crossed <= straight:
                agreed += 1
            else:
                broken.append(limb)
    for name, other in (("left_hand", "right_hand"), ("right_hand", "left_hand")):
        if name in plain and other in turned:
            middle, mirrored = plain[name].mean(axis=0), turned[other].mean(axis=0)
            same = turned[name].mean(axis=0) if name in turned else None
            is_right = same is None or distance(middle, mirrored) <= distance(middle, same)
            agreed, broken = agreed + is_right, broken if is_right else [*broken, name]
        elif (name in plain) != (other in turned):
            missing += 1
    return agreed, broken, missing


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(first[:2] - second[:2]))


def transforms(ours: Peer, theirs: Peer) -> dict[str, Any]:
    """How far landmarks stray, in shares of the part's size, when a picture is turned or scaled."""
    rows = []
    pictures = list(stills())
    plain = {peer.engine: [peer.still(image).parts for _, image in pictures] for peer in (ours, theirs)}
    for degrees, scale in ((10, 1), (-20, 1), (30, 1), (0, 0.5), (0, 0.75), (0, 1.5)):
        for peer in (ours, theirs):
            strays: dict[str, list[float]] = {part: [] for part in PARTS}
            lost = 0
            for (_, image), before in zip(pictures, plain[peer.engine], strict=True):
                moved, matrix = turned_picture(image, degrees, scale)
                after = peer.still(moved).parts
                for part in set(PARTS) & set(before):
                    if part not in after:
                        lost += 1
                        continue
                    expected = before[part][:468, :2] @ matrix[:, :2].T + matrix[:, 2]
                    size = np.linalg.norm(expected.max(axis=0) - expected.min(axis=0))
                    apart = np.linalg.norm(after[part][:468, :2] - expected, axis=1)
                    strays[part].append(float(np.median(apart) / size))
            row = {"degrees": degrees, "scale": scale, "who": peer.engine, "parts_lost": lost}
            rows.append({**row, **{part: float(np.median(s)) if s else None for part, s in strays.items()}})
    return {"rows": rows}


def turned_picture(image: np.ndarray, degrees: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture turned about its middle and scaled, and the matrix from old places to new ones."""
    import cv2

    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    size = (round(width * scale), round(height * scale)) if degrees == 0 else (width, height)
    matrix[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(image, matrix, size, flags=mode, borderMode=cv2.BORDER_REPLICATE), matrix
