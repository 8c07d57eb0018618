"""A person's movement as a BVH file, for animation programs."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.errors import DataError
from pomona.perceive.formats.motion import Motion, fit_motion
from pomona.perceive.formats.new_file import new_file
from pomona.perceive.formats.skeleton import LEFT_HAND, RIGHT_HAND, points_of, skeleton
from pomona.perceive.holistic.record import Observation

_CENTIMETRES = 100.0
_STILL_S = 1 / 30  # the frame time of a single frame


def write_bvh(observations: Iterable[Observation], path: str | Path) -> list[Path]:
    """Writes each person's movement to a file of its own; returns the files.

    One person goes to `path`, several to NAME-person0.bvh, NAME-person1.bvh … Made from the world landmarks:
    centimetres, y up, z to the camera, the hips near the origin (where they are in the room is not known).
    Fingers are there when a hand was found in any frame. BVH has one frame time: the median of the real ones,
    and each of its frames is the person's nearest in time. Raises DataError where nobody has world landmarks.
    """
    times: dict[int, list[float]] = {}
    points: dict[int, list[np.ndarray]] = {}
    for observation in observations:
        for record in observation:
            if record.pose_world is not None:
                times.setdefault(record.person, []).append(record.time_s)
                points.setdefault(record.person, []).append(points_of(record).astype(np.float32))
    if not points:
        raise DataError("BVH needs world landmarks (pose_world): there is nobody who has them")
    path = Path(path)
    files = []
    for person in sorted(points):
        files.append(path if len(points) == 1 else path.with_stem(f"{path.stem}-person{person}"))
        _write(files[-1], np.array(times[person]), np.array(points[person], float))
    return files


def _write(path: Path, times: Float[np.ndarray, " time"], points: Float[np.ndarray, "time point 3"]) -> None:
    frame_time, chosen = _even(times)
    hands = [bool(np.isfinite(points[:, wrist]).any()) for wrist in (LEFT_HAND, RIGHT_HAND)]
    motion = fit_motion(skeleton((hands[0], hands[1])), points)
    with new_file(path) as temporary, open(temporary, "w", encoding="ascii") as file:
        file.write("HIERARCHY\n" + "\n".join(_joint_lines(motion, 0, 0)) + "\n")
        file.write(f"MOTION\nFrames: {len(chosen)}\nFrame Time: {frame_time:.9f}\n")
        angles = _angles(motion.rotations)[chosen]
        order = _order(motion, 0)
        turns = angles[:, order].reshape(len(chosen), -1)
        for frame in np.column_stack([motion.positions[chosen, 0] * _CENTIMETRES, turns]):
            file.write(_numbers(frame, 4) + "\n")


def _even(times: Float[np.ndarray, " time"]) -> tuple[float, Int[np.ndarray, " frame"]]:
    """The median step, and for each multiple of it which of the times is nearest."""
    if len(times) < 2 or not (times[-1] > times[0]):
        return _STILL_S, np.arange(len(times))
    steps = np.diff(times)
    step = float(np.median(steps[steps > 0]))
    grid = times[0] + step * np.arange(round((times[-1] - times[0]) / step) + 1)
    return step, np.searchsorted((times[1:] + times[:-1]) / 2, grid)


def _order(motion: Motion, index: int) -> list[int]:
    """The joints from `index` down as the hierarchy names them, which is the order of the channels."""
    children = [child for child, joint in enumerate(motion.joints) if joint.parent == index]
    return [index, *(below for child in children for below in _order(motion, child))]


def _joint_lines(motion: Motion, index: int, depth: int) -> list[str]:
    joint, tab = motion.joints[index], "\t" * depth
    turns = "Zrotation Xrotation Yrotation"
    moves = f"6 Xposition Yposition Zposition {turns}" if index == 0 else f"3 {turns}"
    lines = [
        f"{tab}{'JOINT' if depth else 'ROOT'} {joint.name}",
        f"{tab}{{",
        f"{tab}\tOFFSET {_numbers(motion.offsets[index] * _CENTIMETRES, 6)}",
        f"{tab}\tCHANNELS {moves}",
    ]
    children = [child for child, other in enumerate(motion.joints) if other.parent == index]
    for child in children:
        lines += _joint_lines(motion, child, depth + 1)
    if not children:
        end = f"{tab}\t\tOFFSET {_numbers(motion.ends[index] * _CENTIMETRES, 6)}"
        lines += [f"{tab}\tEnd Site", f"{tab}\t{{", end, f"{tab}\t}}"]
    return [*lines, f"{tab}}}"]


def _numbers(values: Float[np.ndarray, " value"], digits: int) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values.round(digits) + 0.0)  # no -0.0


def _angles(rotations: Float[np.ndarray, "time joint 3 3"]) -> Float[np.ndarray, "time joint 3"]:
    """Degrees about Z, then X, then Y (rotation = Z · X · Y), without jumps of a full turn over time."""
    sine = np.clip(rotations[..., 2, 1], -1, 1)
    about_x = np.arcsin(sine)
    about_z = np.arctan2(-rotations[..., 0, 1], rotations[..., 1, 1])
    about_y = np.arctan2(-rotations[..., 2, 0], rotations[..., 2, 2])
    # looking along the axis the other two turn about the same line: one of them does it all
    locked = np.abs(sine) > 1 - 1e-12
    about_z = np.where(locked, np.arctan2(rotations[..., 1, 0], rotations[..., 0, 0]), about_z)
    about_y = np.where(locked, 0.0, about_y)
    return np.degrees(np.unwrap(np.stack([about_z, about_x, about_y], axis=-1), axis=0))
