"""A movement as the turns of a skeleton's joints, fitted to points in metres."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from pomona.perceive.formats.skeleton import Joint

_ROUNDS = 3  # bones that meet in a joint settle within a tenth of a millimetre


@dataclass(frozen=True, eq=False)
class Motion:
    """For every joint its bone in the rest pose and its turns over time."""

    joints: tuple[Joint, ...]
    offsets: Float[np.ndarray, "joint 3"]  # from the parent, in the parent's frame, metres
    ends: Float[np.ndarray, "joint 3"]  # from the joint to its first marker; NaN where it has none
    rotations: Float[np.ndarray, "time joint 3 3"]  # against the parent
    positions: Float[np.ndarray, "time joint 3"]  # where the joints come to lie, metres


def fit_motion(joints: tuple[Joint, ...], points: Float[np.ndarray, "time point 3"]) -> Motion:
    """The skeleton with the median lengths of its bones, turned at each time to meet the points.

    A joint with several bones is turned to fit all of them in the least squares (Kabsch 1976), one with a
    single bone by the shortest way: nothing shows its twist. A bone aims at where its end was seen from where
    its start has come to lie, so that errors of length do not add up along a limb. Where points are missing a
    joint keeps its last turn.
    """
    times, count = len(points), len(joints)
    offsets, ends = np.zeros((count, 3)), np.full((count, 3), np.nan)
    rotations = np.broadcast_to(np.eye(3), (times, count, 3, 3)).copy()
    turned = rotations.copy()  # against the world
    positions = np.zeros((times, count, 3))
    positions[:, 0] = points[:, joints[0].point]
    for index, joint in enumerate(joints):
        above = np.broadcast_to(np.eye(3), (times, 3, 3))
        if joint.parent >= 0:
            above = turned[:, joint.parent]
            positions[:, index] = positions[:, joint.parent] + above @ offsets[index]
        children = [child for child, other in enumerate(joints) if other.parent == index]
        targets = [joints[child].point for child in children] + [point for point, _ in joint.markers]
        rests = [joints[child].rest for child in children] + [rest for _, rest in joint.markers]
        bones = _bones(points[:, targets] - points[:, [joint.point]], np.array(rests, float))
        # fingers are short: seen from where the wrist has come to lie they would point anywhere
        start = points[:, joint.point] if "Hand" in joint.name else positions[:, index]
        seen = (points[:, targets] - start[:, None]) @ above
        rotations[:, index] = _held(_turns(bones, seen), np.all(np.isfinite(seen), axis=(1, 2)))
        turned[:, index] = above @ rotations[:, index]
        offsets[children] = bones[: len(children)]
        if joint.markers:
            ends[index] = bones[len(children)]
    return Motion(joints, offsets, ends, rotations, positions)


def _bones(
    seen: Float[np.ndarray, "time bone 3"], rests: Float[np.ndarray, "bone 3"]
) -> Float[np.ndarray, "bone 3"]:
    """The bones from one joint in the rest pose: median lengths, and median angles between them."""
    seen = seen[np.isfinite(seen).all(axis=(1, 2))]
    if not len(seen):
        return np.zeros_like(rests)
    lengths = np.median(np.linalg.norm(seen, axis=2), axis=0)[:, None]
    bones = rests / np.linalg.norm(rests, axis=1, keepdims=True) * lengths
    for _ in range(_ROUNDS if len(rests) > 1 else 0):
        bones = np.median(seen @ _turns(bones, seen), axis=0)
        bones *= lengths / np.maximum(np.linalg.norm(bones, axis=1, keepdims=True), 1e-9)
    return bones


def _turns(
    bones: Float[np.ndarray, "bone 3"], seen: Float[np.ndarray, "time bone 3"]
) -> Float[np.ndarray, "time 3 3"]:
    """The rotations that bring the bones nearest to where they are seen; the identity where that is NaN."""
    known = np.isfinite(seen).all(axis=(1, 2), keepdims=True)
    seen = np.where(known, seen, bones)
    if len(bones) == 1:
        return _shortest(bones[0], seen[:, 0])
    left, _, right = np.linalg.svd(np.swapaxes(seen, 1, 2) @ bones)
    proper = np.ones((len(seen), 3))
    proper[:, 2] = np.linalg.det(left @ right)  # no reflections
    return left * proper[:, None] @ right


def _shortest(
    bone: Float[np.ndarray, " 3"], seen: Float[np.ndarray, "time 3"]
) -> Float[np.ndarray, "time 3 3"]:
    """The rotations by the least angle from one direction to others (Rodrigues)."""
    start = bone / max(float(np.linalg.norm(bone)), 1e-9)
    end = seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
    axis, cosine = np.cross(start, end), end @ start
    x, y, z, zero = *axis.T, np.zeros(len(seen))
    crossing = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=1).reshape(-1, 3, 3)
    turns = np.eye(3) + crossing + crossing @ crossing / np.maximum(1 + cosine, 1e-9)[:, None, None]
    # the way back is as short on every side: over any axis at right angles
    aside = np.cross(start, np.eye(3)[np.abs(start).argmin()])
    aside /= max(float(np.linalg.norm(aside)), 1e-9)
    turns[cosine < 1e-9 - 1] = 2 * np.outer(aside, aside) - np.eye(3)
    return turns


def _held(
    turns: Float[np.ndarray, "time 3 3"], known: Bool[np.ndarray, " time"]
) -> Float[np.ndarray, "time 3 3"]:
    """The turns, with those not known replaced by the last known one, or the first before there is any."""
    if not known.any():
        return turns
    latest = np.maximum.accumulate(np.where(known, np.arange(len(turns)), -1))
    return turns[np.where(latest < 0, known.argmax(), latest)]
