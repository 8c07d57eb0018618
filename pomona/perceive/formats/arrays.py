"""The arrays of landmarks in a record, as every exact format stores them."""

from dataclasses import dataclass

from pomona.perceive.holistic.record import FACE_LANDMARKS, HAND_LANDMARKS, POSE_LANDMARKS


@dataclass(frozen=True)
class LandmarkArray:
    """An array of a record: its field's name, its points and what is told of each of them."""

    name: str
    points: int
    values: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return (self.points, len(self.values))


_SEEN = ("x", "y", "z", "visibility", "presence")
_SURE = ("x", "y", "z", "confidence")
_METRES = ("x", "y", "z")

PART_ARRAYS = (
    LandmarkArray("pose", POSE_LANDMARKS, _SEEN),
    LandmarkArray("left_hand", HAND_LANDMARKS, _SURE),
    LandmarkArray("right_hand", HAND_LANDMARKS, _SURE),
    LandmarkArray("face", FACE_LANDMARKS, _SURE),
)
WORLD_ARRAYS = (
    LandmarkArray("pose_world", POSE_LANDMARKS, _METRES),
    LandmarkArray("left_hand_world", HAND_LANDMARKS, _METRES),
    LandmarkArray("right_hand_world", HAND_LANDMARKS, _METRES),
)
ARRAYS = PART_ARRAYS + WORLD_ARRAYS
"""In the order of the columns of landmarks.parquet."""
