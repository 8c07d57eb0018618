"""People made of numbers: records for tests of the formats, and a dancer with rigid bones."""

import numpy as np
from scipy.spatial.transform import Rotation

from pomona.foundation.randomness import stream
from pomona.perceive.formats.arrays import ARRAYS
from pomona.perceive.holistic.record import MESH_LANDMARKS, HolisticRecord, Observation
from pomona.perceive.region import Region

WIDTH, HEIGHT = 640, 480
EVERYTHING = tuple(array.name for array in ARRAYS)


def person(number: int, frame: int, parts: tuple[str, ...] = EVERYTHING) -> HolisticRecord:
    """Points anywhere in the frame, some beyond it; irises are not known."""
    generator = stream(0, "landmarks", (number, frame))
    arrays = {}
    for array in ARRAYS:
        values = generator.uniform(0, 1, array.shape).astype(np.float32)
        values[:, :3] *= (WIDTH * 1.05, HEIGHT * 1.05, 100) if array.values[-1] != "z" else 1
        if array.name == "face":
            values[MESH_LANDMARKS:] = np.nan
        arrays[array.name] = values if array.name in parts else None
    regions = {"pose": Region(*generator.uniform(0, 300, 4), 0.25)} if number else {}
    return HolisticRecord(
        number, frame, frame / 30, WIDTH, HEIGHT, score=0.1 + number / 4, regions=regions, **arrays
    )


def observation(frame: int, *people: HolisticRecord) -> Observation:
    """One frame with these people."""
    return Observation(frame, frame / 30, WIDTH, HEIGHT, people)


def two_dancers() -> list[Observation]:
    """Two people with everything, and frames in which one, the other or both are gone."""
    return [
        observation(3, person(0, 3), person(1, 3)),
        observation(4, person(1, 4)),
        observation(5),
        observation(8, person(0, 8), person(1, 8)),
        observation(9),
    ]


def parts_missing() -> list[Observation]:
    """One person of whom each part alone is there, and none of them."""
    return [
        observation(frame, person(0, frame, ("pose_world", part)))
        for frame, part in enumerate((*EVERYTHING, "nothing"))
    ]


def dancer(frames: int = 12, rate: float = 30.0, *, noise_m: float = 0.0) -> list[Observation]:
    """World landmarks of a person whose bones keep their lengths while all joints turn smoothly."""
    generator = stream(0, "dancer")
    times = np.arange(frames) / rate
    pose, left, right = _body(times, generator)
    for points in (pose, left, right):
        points += generator.normal(0, noise_m, points.shape) if noise_m else 0
        points *= [1, -1, -1]  # MediaPipe's y points down and its z away
    return [
        Observation(
            frame,
            float(times[frame]),
            WIDTH,
            HEIGHT,
            (
                HolisticRecord(
                    0,
                    frame,
                    float(times[frame]),
                    WIDTH,
                    HEIGHT,
                    pose_world=pose[frame].astype(np.float32),
                    left_hand_world=left[frame].astype(np.float32),
                    right_hand_world=right[frame].astype(np.float32),
                ),
            ),
        )
        for frame in range(frames)
    ]


def _body(times: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """33 points of the pose and 21 of each hand, metres, y up, z to the front."""
    pose = np.zeros((len(times), 33, 3))
    hips = _turning(times, generator, 0.8)
    chest = hips * _about_y(times, 0.4)
    pose[:, 23], pose[:, 24] = hips.apply([0.1, 0, 0]), hips.apply([-0.1, 0, 0])
    neck = hips.apply([0, 0.5, 0])
    pose[:, 11], pose[:, 12] = neck + chest.apply([0.18, 0, 0]), neck - chest.apply([0.18, 0, 0])
    head = chest * _turning(times, generator, 0.3)
    ears = neck + head.apply([0, 0.2, 0])
    pose[:, 7], pose[:, 8] = ears + head.apply([0.07, 0, 0]), ears - head.apply([0.07, 0, 0])
    pose[:, :7] = (ears + head.apply([0, -0.03, 0.12]))[:, None]
    hands = []
    for side, out in ((0, 1), (1, -1)):
        upper, lower = (_turning(times, generator, 0.9) for _ in range(2))
        pose[:, 13 + side] = pose[:, 11 + side] + chest.apply(upper.apply([out * 0.28, 0, 0]))
        pose[:, 15 + side] = pose[:, 13 + side] + chest.apply((upper * lower).apply([out * 0.25, 0, 0]))
        palm = chest * upper * lower * _turning(times, generator, 0.5)
        for point, place in ((17, (0.08, 0, -0.03)), (19, (0.09, 0, 0.02)), (21, (0.05, 0, 0.04))):
            pose[:, point + side] = pose[:, 15 + side] + palm.apply(np.array(place) * [out, 1, 1])
        hands.append(_hand(times, generator, palm, out))
        thigh, shin = _turning(times, generator, 0.5), _turning(times, generator, 0.5)
        pose[:, 25 + side] = pose[:, 23 + side] + hips.apply(thigh.apply([0, -0.42, 0]))
        pose[:, 27 + side] = pose[:, 25 + side] + hips.apply((thigh * shin).apply([0, -0.4, 0]))
        foot = hips * thigh * shin * _turning(times, generator, 0.3)
        pose[:, 29 + side] = pose[:, 27 + side] + foot.apply([0, -0.05, -0.05])
        pose[:, 31 + side] = pose[:, 27 + side] + foot.apply([0, -0.07, 0.15])
    return pose, hands[0], hands[1]


def _hand(times: np.ndarray, generator: np.random.Generator, palm: Rotation, out: int) -> np.ndarray:
    hand = np.zeros((len(times), 21, 3))
    for finger, aside in enumerate((0.04, 0.025, 0.0, -0.02, -0.035)):
        bend = palm
        hand[:, 1 + 4 * finger] = palm.apply([out * (0.03 if finger == 0 else 0.09), 0, aside])
        for bone, length in enumerate((0.04, 0.025, 0.02)):
            bend = bend * _turning(times, generator, 0.3)
            base = 1 + 4 * finger + bone
            hand[:, base + 1] = hand[:, base] + bend.apply([out * length, 0, 0])
    return hand


def _turning(times: np.ndarray, generator: np.random.Generator, most: float) -> Rotation:
    """Smooth turns about all axes, up to `most` radians about each."""
    phase = generator.uniform(0, 2 * np.pi, 3)
    return Rotation.from_rotvec(most * np.sin(times[:, None] * [2.0, 3.0, 4.0] + phase) / np.sqrt(3))


def _about_y(times: np.ndarray, most: float) -> Rotation:
    return Rotation.from_rotvec(most * np.sin(3 * times)[:, None] * [0, 1, 0])
