"""Signs somewhere in noisy grey images: those of the task `moving-glyphs`, without end."""

from pomona.question.bootstrap.worlds.drawn_task import drawn_task
from pomona.tasks.builtin.moving_glyphs import draw_glyphs
from pomona.tasks.task import Task

SIZE = 16
"""Pixels a side of an image."""


def glyphs(*, seed: int = 0) -> Task:
    """Which of ten signs stands in the image: place, shade, a scrap of another sign and noise are drawn."""
    return drawn_task(
        "glyphs",
        lambda generator, num_examples: draw_glyphs(generator, num_examples, SIZE),
        "glyph",
        seed=seed,
        about="which of ten signs stands somewhere in a noisy image (drawn without end)",
        licence="CC0-1.0",
    )
