"""The joints of a body and its hands, and the points in metres that they are at."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.perceive.holistic.record import HAND_LANDMARKS, POSE_LANDMARKS, HolisticRecord

Direction = tuple[float, float, float]

# points beside the 33 of the pose, then 21 of each hand
HIPS, SPINE, NECK, HEAD, LEFT_HAND = range(POSE_LANDMARKS, POSE_LANDMARKS + 5)
RIGHT_HAND = LEFT_HAND + HAND_LANDMARKS
NUM_POINTS = RIGHT_HAND + HAND_LANDMARKS
_MIDDLES = {HIPS: (23, 24), NECK: (11, 12), HEAD: (7, 8), SPINE: (HIPS, NECK)}


@dataclass(frozen=True)
class Joint:
    """A joint: its point, its parent's place in the list, and where it is from there in the rest pose.

    The rest pose is a T: x to the person's left, y up, z to the front. Markers are points that turn with the
    joint and tell how it is turned; the first one ends a joint without children.
    """

    name: str
    point: int
    parent: int
    rest: Direction
    markers: tuple[tuple[int, Direction], ...] = ()


def skeleton(hands: tuple[bool, bool]) -> tuple[Joint, ...]:
    """Joints of a body, parents before children; with the fingers of the left and the right hand, or not."""
    joints = [
        Joint("Hips", HIPS, -1, (0, 0, 0)),
        Joint("Spine", SPINE, 0, (0, 1, 0), ((11, (0.6, 0.8, 0)), (12, (-0.6, 0.8, 0)))),
        Joint("Neck", NECK, 1, (0, 1, 0)),
        Joint("Head", HEAD, 2, (0, 1, 0), ((0, (0, 0, 1)), (7, (1, 0, 0)), (8, (-1, 0, 0)))),
    ]
    for side, name in ((0, "Left"), (1, "Right")):
        out = 1 - 2 * side
        leg, arm = len(joints), len(joints) + 3
        foot = ((31 + side, (0, -0.4, 0.9)), (29 + side, (0, -0.7, -0.7)))
        palm = ((19 + side, (out, 0, 0.2)), (17 + side, (out, 0, -0.4)), (21 + side, (0.7 * out, 0, 0.7)))
        joints += [
            Joint(f"{name}UpLeg", 23 + side, 0, (out, 0, 0)),
            Joint(f"{name}Leg", 25 + side, leg, (0, -1, 0)),
            Joint(f"{name}Foot", 27 + side, leg + 1, (0, -1, 0), foot),
            Joint(f"{name}Shoulder", NECK, 1, (0, 1, 0)),
            Joint(f"{name}Arm", 11 + side, arm, (out, 0, 0)),
            Joint(f"{name}ForeArm", 13 + side, arm + 1, (out, 0, 0)),
            Joint(f"{name}Hand", 15 + side, arm + 2, (out, 0, 0), () if hands[side] else palm),
        ]
        if hands[side]:
            joints += _fingers(name, LEFT_HAND + side * HAND_LANDMARKS, len(joints) - 1, out)
    return tuple(joints)


def _fingers(side: str, wrist: int, parent: int, out: int) -> list[Joint]:
    spread = {"Thumb": 0.8, "Index": 0.25, "Middle": 0.0, "Ring": -0.2, "Pinky": -0.4}
    joints: list[Joint] = []
    for finger, (name, aside) in enumerate(spread.items()):
        first = wrist + 1 + 4 * finger
        base = parent + 1 + len(joints)
        tip = ((first + 3, (float(out), 0.0, 0.0)),)
        joints += [
            Joint(f"{side}Hand{name}1", first, parent, (out * (1 - abs(aside) / 2), 0, aside)),
            Joint(f"{side}Hand{name}2", first + 1, base, (out, 0, 0)),
            Joint(f"{side}Hand{name}3", first + 2, base + 1, (out, 0, 0), tip),
        ]
    return joints


def points_of(record: HolisticRecord) -> Float[np.ndarray, "point 3"]:
    """The points of a person in metres, x right in the frame, y up, z to the camera; NaN where unknown."""
    points = np.full((NUM_POINTS, 3), np.nan)
    if record.pose_world is not None:
        points[:POSE_LANDMARKS] = record.pose_world
    for start, wrist, hand in (
        (LEFT_HAND, 15, record.left_hand_world),
        (RIGHT_HAND, 16, record.right_hand_world),
    ):
        if hand is not None:
            points[start : start + HAND_LANDMARKS] = hand - hand[0] + points[wrist]
    for middle, (first, second) in _MIDDLES.items():
        points[middle] = (points[first] + points[second]) / 2
    return points * [1, -1, -1]
