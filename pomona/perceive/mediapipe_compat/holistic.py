"""MediaPipe's Holistic solution, as programs that were written for it call it."""

import warnings
from types import TracebackType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from pomona.perceive.holistic.holistic import MEDIAPIPE_TICK_S
from pomona.perceive.holistic.holistic import Holistic as _Holistic
from pomona.perceive.holistic.record import MESH_LANDMARKS, HolisticRecord
from pomona.perceive.holistic.settings import Complexity, HolisticSettings
from pomona.perceive.mediapipe_compat.landmark_lists import LandmarkList, NormalizedLandmarkList

_PLACE = ("x", "y", "z")
_SEEN = ("x", "y", "z", "visibility")


class SolutionOutputs(NamedTuple):
    """What was found in one picture; None where it was not."""

    pose_landmarks: NormalizedLandmarkList | None = None
    pose_world_landmarks: LandmarkList | None = None
    left_hand_landmarks: NormalizedLandmarkList | None = None
    right_hand_landmarks: NormalizedLandmarkList | None = None
    face_landmarks: NormalizedLandmarkList | None = None
    segmentation_mask: Float[np.ndarray, "height width"] | None = None  # 0 to 1


class Holistic:
    """Pose, hands and face of one person, with MediaPipe 0.10.21's settings, defaults and results.

    Each call to `process` is taken for the next 1/30 s, as MediaPipe takes it. `faithful=False` finds with
    Pomona's own, mended pipeline instead; for real times and several people use `pomona.Holistic`.
    """

    def __init__(
        self,
        static_image_mode: bool = False,
        model_complexity: Complexity = 1,
        smooth_landmarks: bool = True,
        enable_segmentation: bool = False,
        smooth_segmentation: bool = True,
        refine_face_landmarks: bool = False,
        min_detection_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
        *,
        faithful: bool = True,
    ) -> None:
        if enable_segmentation and smooth_segmentation != smooth_landmarks and not static_image_mode:
            warnings.warn(
                "landmarks and mask are smoothed together: smooth_segmentation goes by smooth_landmarks",
                stacklevel=2,
            )
        self._refine = refine_face_landmarks
        self._calls = 0
        self._holistic = _Holistic(
            HolisticSettings(
                complexity=model_complexity,
                irises=refine_face_landmarks,
                mask=enable_segmentation,
                still=static_image_mode,
                smooth=smooth_landmarks,
                min_detection=min_detection_confidence,
                min_tracking=min_tracking_confidence,
                faithful=faithful,
            )
        )

    def process(self, image: UInt8[np.ndarray, "height width 3"]) -> SolutionOutputs:
        """Who is in an RGB picture. Raises DataError, a ValueError, for another array."""
        self._calls += 1
        people = self._holistic.process(image, self._calls * MEDIAPIPE_TICK_S).people
        return _outputs(people[0], self._refine) if people else SolutionOutputs()

    def reset(self) -> None:
        """Forgets who was seen: the next picture is the first."""
        self._calls = 0
        self._holistic.reset()

    def close(self) -> None:
        """Ends its threads."""
        self._holistic.close()

    def __enter__(self) -> "Holistic":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _outputs(record: HolisticRecord, refine: bool) -> SolutionOutputs:
    face = record.face if refine or record.face is None else record.face[:MESH_LANDMARKS]
    world = None
    if record.pose_world is not None and record.pose is not None:
        world = LandmarkList.of(_SEEN, np.column_stack([record.pose_world, record.pose[:, 3]]))
    return SolutionOutputs(
        _normalized(record, record.pose, _SEEN),
        world,
        _normalized(record, record.left_hand, _PLACE),
        _normalized(record, record.right_hand, _PLACE),
        _normalized(record, face, _PLACE),
        None if record.mask is None else record.mask.astype(np.float32) / 255,
    )


def _normalized(
    record: HolisticRecord, points: np.ndarray | None, fields: tuple[str, ...]
) -> NormalizedLandmarkList | None:
    """Points in shares of the picture; z counts by its width."""
    if points is None:
        return None
    values = points[:, : len(fields)].astype(float)
    values[:, :3] /= (record.width, record.height, record.width)
    return NormalizedLandmarkList.of(fields, values)
