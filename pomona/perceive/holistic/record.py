"""What is found: a record a person a frame, and an observation a frame."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from pomona.perceive.region import Region

POSE_LANDMARKS = 33
HAND_LANDMARKS = 21
FACE_LANDMARKS = 478
MESH_LANDMARKS = 468

PART_NAMES = ("pose", "left_hand", "right_hand", "face")
"""The four arrays of landmarks that a record has."""


@dataclass(frozen=True, eq=False)
class HolisticRecord:
    """One person in one frame; a part that was not found, or not asked for, is None.

    x and y are pixels of the upright frame from its top left corner, right and down; z is in the same pixels,
    smaller is nearer, and 0 at the hips for every part. The last column of hands and face is the confidence
    that the point is right, 0 to 1: low where it is hidden or out of the frame. Irises are the last ten
    points of the face, NaN without `irises`.
    """

    person: int
    frame: int
    time_s: float
    width: int
    height: int
    pose: Float[np.ndarray, "33 5"] | None = None  # x, y, z, visibility, presence
    left_hand: Float[np.ndarray, "21 4"] | None = None  # x, y, z, confidence
    right_hand: Float[np.ndarray, "21 4"] | None = None
    face: Float[np.ndarray, "478 4"] | None = None
    pose_world: Float[np.ndarray, "33 3"] | None = None  # metres from the middle of the hips
    left_hand_world: Float[np.ndarray, "21 3"] | None = None  # metres, where the arm of pose_world holds it
    right_hand_world: Float[np.ndarray, "21 3"] | None = None
    score: float = 1.0  # that there is a person, 0 to 1
    mask: UInt8[np.ndarray, "height width"] | None = None  # 255 where the person is
    regions: Mapping[str, Region] = field(default_factory=dict)  # the crop each part was found in


@dataclass(frozen=True, eq=False)
class Observation:
    """One frame: who is in it, and what finding out took. Iterates over its people."""

    frame: int
    time_s: float
    width: int
    height: int
    people: tuple[HolisticRecord, ...] = ()
    image: UInt8[np.ndarray, "height width 3"] | None = None  # the frame itself
    stage_ms: Mapping[str, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[HolisticRecord]:
        return iter(self.people)

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, index: int) -> HolisticRecord:
        return self.people[index]
