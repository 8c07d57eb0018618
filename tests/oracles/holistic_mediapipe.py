"""Records what MediaPipe 0.10.21 says: `python holistic_mediapipe.py ASSETS_FOLDER holistic_mediapipe.npz`.

Run in the environment of benchmarks/peers/mediapipe.txt; the folder has the asset groups opencv-samples,
scikit-image-samples, sports2d-samples, pose2sim-samples and mediapipe-pose as sub-folders (a cache of
`pomona assets fetch` has). The lite and the heavy pose model are copied to where MediaPipe looks for them.

Arrays, all as MediaPipe gives them: x and y over width and height, z over width; NaN where a part is absent.
`still` is a photo by itself in a fresh pipeline, complexity 0, 1 and 2; `refined` are stills of complexity 1
with refined faces, `mask` two stills' masks times 255; `clip` is the swaying camera of holistic_frames, with
tracking and smoothing, one frame 33,333 µs after the other; `clip_mask` its masks of the first frames.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import mediapipe
import numpy as np
from holistic_frames import CLIP_ASSET, CLIP_FRAMES, STILLS, digest, pan_and_zoom, read_photo, read_still

SHAPES = {
    "pose": (33, 4),
    "pose_world": (33, 4),
    "left_hand": (21, 3),
    "right_hand": (21, 3),
    "face": (468, 3),
}
MASKED = ("messi5", "basketball1")
CLIP_FACES = 2  # every second frame's face is kept
CLIP_MASKS = 4


def main() -> None:
    """Runs everything and writes one file."""
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    install_pose_models(folder)
    images = {still.name: read_still(folder, still) for still in STILLS}
    arrays: dict[str, np.ndarray] = {
        "still_name": np.array(list(images)),
        "still_size": np.array([image.shape[1::-1] for image in images.values()]),
        "still_sha256": np.array([digest(image) for image in images.values()]),
    }
    for complexity in (0, 1, 2):
        found = [one_still(image, model_complexity=complexity) for image in images.values()]
        arrays |= {f"still{complexity}_{part}": stacked(found, part) for part in SHAPES}
    refined = [one_still(image, refine_face_landmarks=True) for image in images.values()]
    arrays["refined_face"] = stacked(refined, "face", (478, 3))
    for name in MASKED:
        arrays[f"mask_{name}"] = one_still(images[name], enable_segmentation=True)["mask"]
    photo = read_photo(folder / CLIP_ASSET)
    clip = [pan_and_zoom(photo, frame) for frame in range(CLIP_FRAMES)]
    arrays |= record_clip(clip)
    np.savez_compressed(out, **arrays)
    print(f"{out}: {out.stat().st_size / 1e3:.0f} kB")


def record_clip(clip: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The tracked clip, and its first frames with masks."""
    found = list(tracked(clip))
    arrays = {f"clip_{part}": stacked(found, part) for part in SHAPES}
    arrays["clip_face"] = arrays["clip_face"][::CLIP_FACES]
    arrays["clip_sha256"] = np.array([digest(image) for image in clip])
    masks = [one["mask"] for one in tracked(clip[:CLIP_MASKS], enable_segmentation=True)]
    return arrays | {"clip_mask": np.stack(masks)}


def install_pose_models(folder: Path) -> None:
    """Puts lite and heavy where MediaPipe, which would else fetch them, looks for them."""
    modules = Path(mediapipe.__file__).parent / "modules" / "pose_landmark"
    for name in ("pose_landmark_lite.tflite", "pose_landmark_heavy.tflite"):
        if not (modules / name).exists():
            shutil.copyfile(folder / "mediapipe-pose" / name, modules / name)


def one_still(image: np.ndarray, **options: object) -> dict[str, np.ndarray]:
    """The answer of a fresh pipeline: MediaPipe's still mode remembers hands and faces of photos before."""
    with mediapipe.solutions.holistic.Holistic(static_image_mode=True, **options) as holistic:
        return as_arrays(holistic.process(image))


def tracked(images: Iterable[np.ndarray], **options: object) -> Iterable[dict[str, np.ndarray]]:
    """The answers of one pipeline for frames in order."""
    with mediapipe.solutions.holistic.Holistic(**options) as holistic:
        for image in images:
            yield as_arrays(holistic.process(image))


def as_arrays(results: object) -> dict[str, np.ndarray]:
    """The parts that were found, and the mask where it was asked for."""
    fields = {
        "pose": results.pose_landmarks,
        "pose_world": results.pose_world_landmarks,
        "left_hand": results.left_hand_landmarks,
        "right_hand": results.right_hand_landmarks,
        "face": results.face_landmarks,
    }
    found = {}
    for part, landmarks in fields.items():
        if landmarks is not None:
            columns = ("x", "y", "z", "visibility")[: SHAPES[part][1]]
            rows = [[getattr(point, column) for column in columns] for point in landmarks.landmark]
            found[part] = np.array(rows, np.float32)
    mask = getattr(results, "segmentation_mask", None)
    if mask is not None:
        found["mask"] = np.round(mask * 255).astype(np.uint8)
    return found


def stacked(found: list[dict], part: str, shape: tuple[int, int] | None = None) -> np.ndarray:
    """One part of all answers, NaN where it is absent."""
    absent = np.full(shape or SHAPES[part], np.nan, np.float32)
    return np.stack([one.get(part, absent) for one in found])


if __name__ == "__main__":
    main()
