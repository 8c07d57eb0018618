"""The ideal worlds: name → how its task is made, and what it is.

A world is a task whose training split never ends, or is so large that no example is used twice.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pomona.question.bootstrap.worlds.diffusion.world import diffusion
from pomona.question.bootstrap.worlds.drawn_digits import drawn_digits
from pomona.question.bootstrap.worlds.glyphs import glyphs
from pomona.question.bootstrap.worlds.mixture import mixture
from pomona.tasks.task import Task


@dataclass(frozen=True)
class World:
    """How a world is made."""

    make: Callable[..., Task]
    """`make(seed=…)`, with `of_task` instead `make(task, run=…)`."""
    about: str
    of_task: bool = False
    """Whether it is made from a task's examples."""


WORLDS: dict[str, World] = {
    "glyphs": World(glyphs, "signs somewhere in noisy images, drawn without end"),
    "drawn-digits": World(drawn_digits, "digits that a pen draws in several hands, without end"),
    "diffusion": World(
        diffusion, "what a diffusion model, fitted to a task, draws and a teacher labels", of_task=True
    ),
    "mixture": World(mixture, "points of a mixture of Gaussians whose best possible error is known"),
}
