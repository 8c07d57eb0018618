"""Which pixels are of a person: the pose model's mask laid back into the frame and blended over time."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8

from pomona.perceive.crop import uncrop
from pomona.perceive.holistic.people import Person
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.logistic import logistic

MaskStates = Mapping[int, Float[np.ndarray, "height width"]]
"""The last mask by the identity of the person, 0 to 1."""

BLENDED = 0.7
"""The most that a pixel keeps of the last frame, where the new mask is least sure."""

_SURENESS = (5.68842, -0.748699, -57.8051, 291.309, -624.717)


class MaskPainter:
    """Paints the masks of people. Holds no state: that is given and returned."""

    def __init__(self, settings: HolisticSettings):
        # in MediaPipe 0.10.21's Holistic smooth_segmentation changes nothing
        self._blends = settings.smooth and not settings.still and not settings.faithful

    def paint(
        self, image: np.ndarray, people: tuple[Person, ...], state: MaskStates
    ) -> tuple[dict[str, dict[int, UInt8[np.ndarray, "height width"]]], MaskStates]:
        """The masks by the identity of their people, 255 where the person is, and the new state."""
        height, width = image.shape[:2]
        after = {}
        for person in people:
            logits = person.pose.mask
            assert logits is not None, "the pose was read without its mask"
            new = uncrop(logistic(logits), person.pose.region, width, height)
            before = state.get(person.identity)
            if self._blends and before is not None and before.shape == new.shape:
                new = blended(new, before)
            after[person.identity] = new
        return {"masks": {key: np.rint(mask * 255).astype(np.uint8) for key, mask in after.items()}}, after


def blended(
    new: Float[np.ndarray, "height width"], before: Float[np.ndarray, "height width"]
) -> Float[np.ndarray, "height width"]:
    """The new mask, moved towards the last one where it is unsure: MediaPipe's polynomial for entropy."""
    away = (new - 0.5) ** 2
    a, b, c, d, e = map(np.float32, _SURENESS)
    sureness = np.minimum(1, away * (a + away * (b + away * (c + away * (d + away * e)))))
    return new + (before - new) * ((1 - sureness) * np.float32(BLENDED))
