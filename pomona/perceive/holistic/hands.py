"""The left or the right hands of the people in a frame: found on their arms, followed, steadied."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from pomona.perceive.holistic.hand import (
    LEFT_ARM,
    RIGHT_ARM,
    WRIST,
    Hand,
    arm_region,
    find_palms,
    palm_region,
    read_hand,
    recropped,
    tracked_region,
)
from pomona.perceive.holistic.models import hand_landmarks, hand_recrop, palm_detector
from pomona.perceive.holistic.people import Person
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.holistic.tracking import HAND_TOLERANCE, still_there
from pomona.perceive.model import Model
from pomona.perceive.region import Region, settled
from pomona.perceive.smoothing import OneEuro, OneEuroState, steady

THERE = 0.5
"""The least score of a hand that is there."""

VISIBLE = 0.1
"""The least visibility of a wrist that is worth a look."""

IN_FRAME = 0.3
"""The least presence of a wrist or finger, the pose's guess that it is in the frame, that is worth a look."""

LOOK_EVERY = 3
"""Frames between looks for a hand that was not there."""

PALMS_EVERY = 2
"""Looks between searches for the palm of a hand that the arm does not lead to."""

CLEARLY_VISIBLE = 0.6
"""The least visibility of a wrist whose hand must be somewhere near."""

STEADY = OneEuro(min_cutoff=0.05, beta=40.0)

_ARMS = {"left": LEFT_ARM, "right": RIGHT_ARM}


@dataclass(frozen=True)
class FoundHand:
    """One person's left or right hand in one frame, steadied: pixels, and metres from its wrist."""

    hand: Hand  # as the model gave it
    points: Float[np.ndarray, "21 3"]
    world: Float[np.ndarray, "21 3"]


@dataclass(frozen=True)
class HandState:
    """What is kept of one hand from frame to frame."""

    points: Float[np.ndarray, "21 3"] | None = None  # of the last frame, when it was there
    region: Region | None = None  # that they were found in
    steady: OneEuroState | None = None
    steady_world: OneEuroState | None = None
    absent: int = 0  # frames since it was last there


HandStates = Mapping[int, HandState]
"""By the identity of the person."""


class HandFollower:
    """Finds and follows the hands of one side. Holds models, no state: that is given and returned."""

    def __init__(self, settings: HolisticSettings, side: str):
        self._settings = settings
        self._name = f"{side}_hands"
        self._arm = _ARMS[side]
        self._other_arm = _ARMS["right" if side == "left" else "left"]
        self._phase = (
            0 if side == "left" else 1
        )  # looks for absent left and right hands fall on different frames
        self._recrop = hand_recrop()
        self._landmarks = hand_landmarks(settings)
        self._palms: Model | None = None

    def follow(
        self, image: np.ndarray, time_s: float, people: tuple[Person, ...], state: HandStates
    ) -> tuple[dict[str, dict[int, FoundHand]], HandStates]:
        """The hands of this side by the identity of their people, and the new state."""
        found: dict[int, FoundHand] = {}
        after: dict[int, HandState] = {}
        for person in people:
            before = state.get(person.identity, HandState())
            hand = self._find(image, person, before)
            if hand is None:
                after[person.identity] = HandState(absent=before.absent + 1)
            else:
                found[person.identity], after[person.identity] = self._steadied(hand, time_s, before)
        return {self._name: found}, after

    def _find(self, image: np.ndarray, person: Person, before: HandState) -> Hand | None:
        if self._settings.faithful:
            return self._find_as_mediapipe(image, person, before)
        arm = person.points[list(self._arm)]
        if arm[0, 3] <= VISIBLE or arm[:, 4].max() < IN_FRAME:
            return None
        rough = arm_region(person.points, self._arm)
        if before.points is not None and not self._settings.still:
            tracked = tracked_region(before.points)
            if before.region is not None:
                tracked = settled(before.region, tracked)
            if _leads_to(rough, tracked):
                hand = self._accepted(read_hand(self._landmarks, image, tracked), person)
                if hand is not None:
                    return hand
        elif self._may_wait(before):
            return None
        if _out_of_frame(rough, image):
            return None
        hand = read_hand(self._landmarks, image, recropped(self._recrop, image, rough))
        return self._accepted(hand, person) or self._by_palm(image, person, rough, before)

    def _may_wait(self, before: HandState) -> bool:
        """Whether a hand that has been away for a while need not be looked for in this frame."""
        if self._settings.still or before.absent <= LOOK_EVERY:
            return False
        return bool((before.absent + self._phase) % LOOK_EVERY)

    def _find_as_mediapipe(self, image: np.ndarray, person: Person, before: HandState) -> Hand | None:
        if person.points[self._arm[0], 3] <= VISIBLE:
            return None
        region = recropped(self._recrop, image, arm_region(person.points, self._arm))
        if before.points is not None:
            tracked = tracked_region(before.points)
            if still_there(tracked, before.points, region, HAND_TOLERANCE):
                region = tracked
        hand = read_hand(self._landmarks, image, region)
        return hand if hand.score > THERE else None

    def _by_palm(self, image: np.ndarray, person: Person, rough: Region, before: HandState) -> Hand | None:
        """The hand of a palm near the wrist, for hands that the pose misplaces."""
        looks = before.absent // LOOK_EVERY
        if person.points[self._arm[0], 3] < CLEARLY_VISIBLE or (
            looks % PALMS_EVERY and not self._settings.still
        ):
            return None
        if self._palms is None:
            self._palms = palm_detector(self._settings)
        around = replace(rough, width=1.5 * rough.width, height=1.5 * rough.height, rotation=0.0)
        for palm in find_palms(self._palms, image, around, self._settings.min_detection):
            hand = self._accepted(read_hand(self._landmarks, image, palm_region(palm)), person)
            if hand is not None:
                return hand
        return None

    def _accepted(self, hand: Hand, person: Person) -> Hand | None:
        """The hand, if it is there and on this arm rather than on the other."""
        if hand.score <= max(THERE, self._settings.min_tracking):
            return None
        wrist = hand.points[WRIST, :2]
        own = math.hypot(*(wrist - person.points[self._arm[0], :2]))
        other = math.hypot(*(wrist - person.points[self._other_arm[0], :2]))
        between = math.hypot(*(person.points[self._arm[0], :2] - person.points[self._other_arm[0], :2]))
        # hands that touch cannot be told apart by their wrists
        return hand if own <= other or between < hand.region.width / 4 else None

    def _steadied(self, hand: Hand, time_s: float, before: HandState) -> tuple[FoundHand, HandState]:
        if self._settings.faithful or self._settings.still or not self._settings.smooth:
            return FoundHand(hand, hand.points, hand.world), HandState(hand.points, hand.region)
        points, steady_points = steady(STEADY, hand.points, time_s, before.steady, hand.region.width)
        world, steady_world = steady(STEADY, hand.world, time_s, before.steady_world, 0.25)
        return FoundHand(hand, points, world), HandState(
            hand.points, hand.region, steady_points, steady_world
        )


def _leads_to(rough: Region, tracked: Region) -> bool:
    """Whether a hand's last region is still where the arm points to."""
    x, y = np.abs(rough.inside(np.array([[tracked.x, tracked.y]]))[0])
    return bool(max(x, y) < 0.35) and 0.2 < tracked.width / rough.width < 1.6


def _out_of_frame(region: Region, image: np.ndarray) -> bool:
    height, width = image.shape[:2]
    return not (0 <= region.x < width and 0 <= region.y < height)
