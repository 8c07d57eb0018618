"""Who is in a frame: poses are found, followed from frame to frame, steadied, and keep their identity."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float

from pomona.foundation.assets import fetch
from pomona.perceive.holistic.models import pose_asset, pose_landmarks
from pomona.perceive.holistic.pose import Pose, body_region, read_pose
from pomona.perceive.holistic.search import Candidate, PeopleSearch
from pomona.perceive.holistic.settings import HolisticSettings
from pomona.perceive.model import Model
from pomona.perceive.region import Region, settled
from pomona.perceive.smoothing import OneEuro, OneEuroState, averaged, steady

POINTS = OneEuro(min_cutoff=0.05, beta=80.0)
WORLD = OneEuro(min_cutoff=0.1, beta=40.0)
AUXILIARY = OneEuro(min_cutoff=0.01, beta=10.0)

SEARCH_EVERY = 10
"""Frames between looks for further people while some are followed."""

SEARCH_DEEPLY_EVERY = 60
"""Frames between looks for people whom the detector overlooks, while some are followed."""

SEARCH_SMALL_EVERY = 3
"""Frames between looks for small people, each in another part of the frame."""

SEARCH_ALONE_EVERY, SEARCH_EMPTY_EVERY = 3, 15
"""Frames between such looks while nobody is there, and once nobody has been for EMPTY frames."""

EMPTY = 30

SURE = 0.9
"""The least score of the pose of someone whom the detector overlooks."""

CUT = 25.0
"""The mean difference between two frames, in grey levels of 255, from which they are of two scenes."""

REMEMBERED_S = 2.0
"""How long a lost person's identity waits for them to come back."""

_UPPER_BODY = slice(0, 25)
_VISIBILITY_SHARE = 0.1  # of the new frame, at MediaPipe's 30 frames a second
_VISIBILITY_S = -1 / (30 * math.log(1 - _VISIBILITY_SHARE))


Reader = Callable[[Region], Pose]
"""Reads the pose in a region of the frame."""


@dataclass(frozen=True)
class Person:
    """One person in one frame. `points` and `world` are steadied, `pose` is as the model gave it."""

    identity: int
    pose: Pose
    points: Float[np.ndarray, "33 5"]
    world: Float[np.ndarray, "33 3"]


@dataclass(frozen=True)
class Followed:
    """What is kept of a person from frame to frame."""

    identity: int
    region: Region  # to look in next
    time_s: float
    points: OneEuroState | None = None
    world: OneEuroState | None = None
    auxiliary: OneEuroState | None = None
    visibility: Float[np.ndarray, "33"] | None = None


@dataclass(frozen=True)
class Lost:
    """A person who was there a moment ago."""

    identity: int
    points: Float[np.ndarray, "33 5"]
    time_s: float


@dataclass(frozen=True)
class PeopleState:
    """Everyone who is followed, or was until a moment ago."""

    followed: tuple[Followed, ...] = ()
    lost: tuple[Lost, ...] = ()
    left: Followed | None = None  # who was followed last, for what MediaPipe keeps of them
    frames: int = 0
    alone: int = 0  # frames in a row without anyone
    identities: int = 0
    last: tuple[Person, ...] = ()
    thumbnail: Float[np.ndarray, "row column"] | None = None  # of the last frame


class PeopleFollower:
    """Finds people and follows them. Holds models, no state: that is given and returned."""

    def __init__(self, settings: HolisticSettings):
        self._settings = settings
        self._search = PeopleSearch(settings.min_detection)
        fetch(pose_asset(settings))  # so that a model that cannot be had is told of at once
        self._landmarks: dict[int, Model] = {}

    def follow(
        self, image: np.ndarray, time_s: float, threads: int, state: PeopleState
    ) -> tuple[dict[str, tuple[Person, ...]], PeopleState]:
        """The people in the next frame, by identity, and the new state.

        `threads` is how many may work on the pose: the answer is the same to the last bit.
        """
        read = partial(self._read, threads, image)
        if self._settings.still:
            state = PeopleState()
        elif not self._settings.faithful:
            state = _after_cut(image, state)
        kept = [(one, read(one.region)) for one in state.followed]
        there = [(one, pose) for one, pose in kept if pose.score > self._settings.min_tracking]
        there = _without_doubles(there) if len(there) > 1 else there
        state = _remember_lost(state, {one.identity for one, _ in there}, time_s)
        # MediaPipe looks again one frame after it lost someone
        if len(there) < self._settings.people and not (self._settings.faithful and state.followed):
            for pose in self._newcomers(image, read, state, [pose for _, pose in there]):
                one, state = _newcomer(pose, state, time_s)
                if self._settings.faithful and state.left:
                    # MediaPipe's averages outlive the loss of a person; its filter of pixels does not
                    one = replace(one, visibility=state.left.visibility, world=state.left.world)
                there.append((one, pose))
        pairs = [self._steadied(one, pose, time_s) for one, pose in there]
        people = tuple(sorted((person for person, _ in pairs), key=lambda person: person.identity))
        followed = tuple(one for _, one in pairs)
        left = followed[0] if followed else state.left
        frames, alone = state.frames + 1, 0 if followed else state.alone + 1
        after = replace(state, followed=followed, left=left, frames=frames, alone=alone, last=people)
        return {"people": people}, after

    def _read(self, threads: int, image: np.ndarray, region: Region) -> Pose:
        if threads not in self._landmarks:
            self._landmarks[threads] = pose_landmarks(self._settings, threads)
        return read_pose(self._landmarks[threads], image, region, mask=self._settings.mask)

    def _newcomers(
        self, image: np.ndarray, read: Reader, state: PeopleState, known: list[Pose]
    ) -> list[Pose]:
        """New people, at most as many as there is room for."""
        found: list[Pose] = []
        for candidate in self._candidates(image, state, bool(known)):
            pose = self._proven(image, read, candidate, [*known, *found])
            if pose is not None:
                found.append(pose)
            if len(known) + len(found) == self._settings.people or self._settings.faithful:
                break
        return found

    def _candidates(self, image: np.ndarray, state: PeopleState, anyone: bool) -> Iterator[Candidate]:
        settings = self._settings
        if not anyone or settings.still or state.frames % SEARCH_EVERY == 0:
            yield from self._search.likely(image)
        alone_every = SEARCH_ALONE_EVERY if state.alone < EMPTY else SEARCH_EMPTY_EVERY
        every = SEARCH_DEEPLY_EVERY if anyone else alone_every
        just_lost = bool(state.followed) and not anyone
        if settings.faithful:
            return
        if settings.still or just_lost or state.frames % every == 0:
            yield from self._search.hidden(image)
        if settings.still or state.frames == 0:
            yield from self._search.small(image)
        elif state.frames % SEARCH_SMALL_EVERY == 0:
            yield from self._search.small(image, state.frames // SEARCH_SMALL_EVERY)

    def _proven(
        self, image: np.ndarray, read: Reader, candidate: Candidate, known: list[Pose]
    ) -> Pose | None:
        """The candidate's pose, if there is one and it is nobody's whom we know."""
        if any(_alike(candidate.region, pose.region) for pose in known):
            return None
        pose = read(candidate.region)
        least = self._settings.min_tracking if candidate.proof == "pose" else SURE
        if pose.score > least and candidate.proof != "pose":
            pose = read(body_region(*pose.auxiliary))
        if pose.score <= least or any(same_person(pose.points, other.points) for other in known):
            return None
        return None if candidate.proof == "face" and not self._search.has_face(image, pose) else pose

    def _steadied(self, one: Followed, pose: Pose, time_s: float) -> tuple[Person, Followed]:
        """The person of this frame and what is kept for the next."""
        size = 2 * math.hypot(*(pose.auxiliary[1] - pose.auxiliary[0]))
        auxiliary, auxiliary_state = steady(AUXILIARY, pose.auxiliary, time_s, one.auxiliary, size)
        region = body_region(*auxiliary)
        if not self._settings.faithful:
            region = settled(pose.region, region)
        kept = replace(one, region=region, auxiliary=auxiliary_state, time_s=time_s)
        if self._settings.still or not self._settings.smooth:
            return Person(one.identity, pose, pose.points, pose.world), kept
        places, points_state = steady(POINTS, pose.points[:, :3], time_s, one.points, size)
        world, world_state = steady(WORLD, pose.world, time_s, one.world)
        visibility = averaged(pose.points[:, 3], one.visibility, self._share(time_s - one.time_s))
        points = np.concatenate([places, visibility[:, None], pose.points[:, 4:]], axis=1)
        kept = replace(kept, points=points_state, world=world_state, visibility=visibility)
        return Person(one.identity, pose, points, world), kept

    def _share(self, passed: float) -> float:
        """The share of the new visibility: MediaPipe's a frame, or the same pace at the real rate."""
        return _VISIBILITY_SHARE if self._settings.faithful else 1 - math.exp(-max(passed, 0) / _VISIBILITY_S)


def same_person(points: Float[np.ndarray, "33 5"], others: Float[np.ndarray, "33 5"]) -> bool:
    """Whether two poses are of one body: their heads and trunks lie within half a trunk of each other."""
    apart = np.hypot(*(points[_UPPER_BODY, :2] - others[_UPPER_BODY, :2]).T)
    return bool(np.median(apart) < min(_trunk(points), _trunk(others)) / 2)


def _trunk(points: np.ndarray) -> float:
    """The size of a body, however much of it is in view: its shoulders across, or half its trunk."""
    left, right = points[11, :2], points[12, :2]
    hips = (points[23, :2] + points[24, :2]) / 2
    return max(math.hypot(*(left - right)), math.hypot(*((left + right) / 2 - hips)) / 2)


def _alike(region: Region, other: Region) -> bool:
    apart = math.hypot(region.x - other.x, region.y - other.y)
    smaller, larger = sorted((region.width, other.width))
    return apart < 0.1 * smaller and larger < 1.3 * smaller


def _without_doubles(there: list[tuple[Followed, Pose]]) -> list[tuple[Followed, Pose]]:
    """One follower a body: where two meet, the one who was there first stays."""
    alone: list[tuple[Followed, Pose]] = []
    for one, pose in sorted(there, key=lambda pair: pair[0].identity):
        if not any(same_person(pose.points, other.points) for _, other in alone):
            alone.append((one, pose))
    return alone


def _after_cut(image: np.ndarray, state: PeopleState) -> PeopleState:
    """The state with nobody followed any more where the frame has little to do with the one before."""
    height, width = image.shape[:2]
    thumbnail = image[:: max(1, height // 18), :: max(1, width // 32), 1].astype(np.float32)
    before = state.thumbnail
    cut = before is not None and (before.shape != thumbnail.shape or np.abs(thumbnail - before).mean() > CUT)
    return replace(state, thumbnail=thumbnail, followed=() if cut else state.followed)


def _remember_lost(state: PeopleState, present: set[int], time_s: float) -> PeopleState:
    gone = tuple(
        Lost(person.identity, person.points, time_s)
        for person in state.last
        if person.identity not in present
    )
    recent = tuple(lost for lost in state.lost if time_s - lost.time_s <= REMEMBERED_S)
    return replace(state, lost=(*recent, *gone)) if gone or len(recent) < len(state.lost) else state


def _newcomer(pose: Pose, state: PeopleState, time_s: float) -> tuple[Followed, PeopleState]:
    """Someone new, or someone who was lost nearby and is back."""
    for lost in state.lost:
        if _nearby(pose.points, lost.points):
            left = tuple(other for other in state.lost if other is not lost)
            return Followed(lost.identity, pose.region, time_s), replace(state, lost=left)
    one = Followed(state.identities, pose.region, time_s)
    return one, replace(state, identities=state.identities + 1)


def _nearby(points: np.ndarray, before: np.ndarray) -> bool:
    apart = np.hypot(*(points[_UPPER_BODY, :2] - before[_UPPER_BODY, :2]).T)
    return bool(np.median(apart) < 2 * max(_trunk(points), _trunk(before)))
