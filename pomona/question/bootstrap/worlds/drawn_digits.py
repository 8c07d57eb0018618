"""Digits that a pen draws: strokes in several hands, bent, turned, sized and moved, with noise.

Every hand of a digit is a set of lines through a few points. A smooth wave bends all points of an image, so
that lines stay joined; the ink of a pixel follows from its distance to the nearest line.
"""

import itertools

import numpy as np
from jaxtyping import Float

from pomona.question.bootstrap.worlds.drawn_task import drawn_task
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

SIZE = 16
"""Pixels a side of an image."""
NOISE = 0.12
"""Deviation of the noise of a pixel; paper is at 0.1, ink at 0.5 … 0.9."""

LOOP = [(0.5 + 0.24 * np.sin(turn), 0.5 - 0.4 * np.cos(turn)) for turn in np.linspace(0, 2 * np.pi, 13)]
SIX = [
    (0.65, 0.12),
    (0.4, 0.3),
    (0.28, 0.6),
    (0.35, 0.85),
    (0.55, 0.9),
    (0.7, 0.75),
    (0.62, 0.56),
    (0.3, 0.66),
]
THREE_BELOW = [(0.46, 0.47), (0.7, 0.58), (0.72, 0.78), (0.5, 0.9), (0.27, 0.82)]
RING = [(0.5, 0.1), (0.3, 0.2), (0.3, 0.4), (0.5, 0.48), (0.7, 0.4), (0.7, 0.2), (0.5, 0.1)]

HANDS: dict[str, tuple[list[list[tuple[float, float]]], ...]] = {
    "0": ([LOOP], [LOOP, [(0.35, 0.7), (0.65, 0.3)]]),
    "1": ([[(0.35, 0.28), (0.55, 0.1), (0.55, 0.9)]], [[(0.5, 0.1), (0.5, 0.9)], [(0.32, 0.9), (0.68, 0.9)]]),
    "2": (
        [[(0.25, 0.3), (0.32, 0.14), (0.5, 0.1), (0.7, 0.2), (0.7, 0.38), (0.25, 0.9), (0.75, 0.9)]],
        [[(0.25, 0.12), (0.6, 0.12), (0.72, 0.3), (0.5, 0.6), (0.28, 0.88), (0.75, 0.82)]],
    ),
    "3": (
        [[(0.28, 0.18), (0.5, 0.1), (0.7, 0.2), (0.68, 0.4), *THREE_BELOW]],
        [[(0.28, 0.1), (0.7, 0.1), *THREE_BELOW]],
    ),
    "4": (
        [[(0.6, 0.9), (0.6, 0.1), (0.22, 0.65), (0.78, 0.65)]],
        [[(0.3, 0.1), (0.25, 0.55), (0.75, 0.55)], [(0.65, 0.3), (0.65, 0.9)]],
    ),
    "5": (
        [
            [
                (0.7, 0.1),
                (0.32, 0.1),
                (0.3, 0.45),
                (0.55, 0.4),
                (0.72, 0.58),
                (0.68, 0.8),
                (0.5, 0.9),
                (0.27, 0.82),
            ]
        ],
        [[(0.32, 0.1), (0.3, 0.5), (0.7, 0.5), (0.7, 0.9), (0.28, 0.9)], [(0.32, 0.1), (0.72, 0.1)]],
    ),
    "6": ([SIX], [[(0.32, 0.1), (0.3, 0.88), (0.7, 0.88), (0.7, 0.52), (0.3, 0.52)]]),
    "7": (
        [[(0.25, 0.1), (0.75, 0.1), (0.42, 0.9)]],
        [[(0.25, 0.15), (0.75, 0.1), (0.5, 0.9)], [(0.4, 0.5), (0.72, 0.5)]],
    ),
    "8": (
        [RING, [(x, 1.02 - y) for x, y in RING]],
        [[(0.7, 0.15), (0.35, 0.15), (0.68, 0.85), (0.32, 0.85), (0.7, 0.15)]],
    ),
    "9": ([[(1 - x, 1 - y) for x, y in SIX]], [RING, [(0.7, 0.3), (0.64, 0.9)]]),
}
"""Digit → its hands, each a list of lines through points (right, down) in the unit square."""


def drawn_digits(*, seed: int = 0) -> Task:
    """Which of ten digits is drawn."""
    about = "which of ten digits a pen drew, bent, turned and moved, in noise (drawn without end)"
    return drawn_task("drawn-digits", draw_digits, "digit", seed=seed, about=about, licence="CC0-1.0")


def draw_digits(generator: np.random.Generator, num_images: int) -> Batch:
    """Raw images, uint8 (height, width), and their digits."""
    names, lines = _hands()
    chosen = generator.integers(0, len(names), num_images)
    ends = _moved(lines[chosen], generator)
    width = generator.uniform(0.03, 0.07, (num_images, 1, 1))
    ink = generator.uniform(0.5, 0.9, (num_images, 1, 1)) * np.exp(-0.5 * (_distance(ends) / width) ** 2)
    pixels = 0.1 + ink + NOISE * generator.standard_normal(ink.shape)
    return {"image": np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8), "digit": names[chosen]}


def _hands() -> tuple[np.ndarray, Float[np.ndarray, "hand line end 2"]]:
    """The digit of every hand and its lines, as many for each: the last one again where there are fewer."""
    names, all_lines = [], []
    for digit, hands in HANDS.items():
        for strokes in hands:
            names.append(digit)
            all_lines.append([pair for points in strokes for pair in itertools.pairwise(points)])
    most = max(map(len, all_lines))
    padded = [lines + [lines[-1]] * (most - len(lines)) for lines in all_lines]
    return np.array(names, object), np.array(padded)


def _moved(
    ends: Float[np.ndarray, "image line end 2"], generator: np.random.Generator
) -> Float[np.ndarray, "image line end 2"]:
    """The lines of each image bent by waves, turned by up to 17°, slanted, sized and shifted."""
    count = len(ends)
    strength, phase = generator.normal(0, 0.04, (2, count, 1, 1)), generator.uniform(0, 6.3, (2, count, 1, 1))
    right, down = ends[..., 0] - 0.5, ends[..., 1] - 0.5
    right, down = (
        right + strength[0] * np.sin(5 * down + phase[0]),
        down + strength[1] * np.sin(5 * right + phase[1]),
    )
    turn = generator.uniform(-0.3, 0.3, (count, 1, 1))
    right = right + generator.uniform(-0.3, 0.3, (count, 1, 1)) * down
    wide, high = generator.uniform(0.65, 1.05, (2, count, 1, 1))
    shift = generator.uniform(-0.1, 0.1, (2, count, 1, 1))
    turned = np.cos(turn) * right - np.sin(turn) * down, np.sin(turn) * right + np.cos(turn) * down
    return np.stack([0.5 + shift[0] + wide * turned[0], 0.5 + shift[1] + high * turned[1]], -1)


def _distance(ends: Float[np.ndarray, "image line end 2"]) -> Float[np.ndarray, "image height width"]:
    """How far each pixel's centre is from the nearest line, in sides of the image."""
    places = ((np.arange(SIZE) + 0.5) / SIZE).astype(np.float32)
    nearest = np.full((len(ends), SIZE, SIZE), np.inf, np.float32)
    for line in range(ends.shape[1]):
        start = ends[:, line, 0].astype(np.float32)[:, :, None, None]
        way = (ends[:, line, 1] - ends[:, line, 0]).astype(np.float32)[:, :, None, None]
        right, down = places - start[:, 0], places[:, None] - start[:, 1]
        length = np.maximum((way**2).sum(1), np.float32(1e-12))
        share = np.clip((right * way[:, 0] + down * way[:, 1]) / length, 0, 1)
        away = (right - share * way[:, 0]) ** 2 + (down - share * way[:, 1]) ** 2
        np.minimum(nearest, away, out=nearest)
    return np.sqrt(nearest)
