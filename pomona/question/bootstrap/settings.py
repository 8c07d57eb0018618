"""Settings of a comparison of worlds, from which the command line reads its flags; nothing imports torch."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError

SMALLEST_SIZE = 100
"""Of fewer examples, one that is wrong is already more than 1 %."""

SMALLEST_TEST = 200
"""Test examples that a soft error needs: of fewer, its own luck is as large as the gaps that matter."""


@dataclass(frozen=True)
class BootstrapSettings:
    """How large the real world is, and what is compared besides."""

    sizes: str = "500,2000"
    """Examples that the real world has and uses again and again; several, parted by commas."""

    world: str = "auto"
    """Where fresh examples come from: a world's name, a Python file with a function `draw`, `data` (a large
    data set of which nothing is used twice), or auto: the world that SUBJECT names, else `data`."""

    seeds: int = 5
    """Networks in each world, at least 2; each has its own start, order, examples and test examples."""

    points: int = 30
    """Steps at which errors are measured, at least 4: half of them early and dense, half of them regular."""

    test_examples: int = 1000
    """Fresh examples on which the test error of each seed is measured, in both worlds the same."""

    networks: str = ""
    """Networks to compare with `--network`, parted by commas."""

    augments: str = ""
    """Strengths of augmentation to compare with `--augment`, parted by commas."""

    optimizers: str = ""
    """Optimisers to compare with `--optimizer`, parted by commas."""

    starts: str = ""
    """Pre-training to compare with fresh weights: folders of artifacts, or names of tasks on which the
    network is trained first, parted by commas."""

    def __post_init__(self) -> None:
        for name, least in (("seeds", 2), ("points", 4), ("test_examples", SMALLEST_TEST)):
            if getattr(self, name) < least:
                raise SettingError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if min(self.all_sizes) < SMALLEST_SIZE:
            raise SettingError(
                f"sizes must be at least {SMALLEST_SIZE}, got {min(self.all_sizes)}: the gap is read where "
                "the train error is 1 %, and one example of fewer is more than that"
            )

    @property
    def all_sizes(self) -> tuple[int, ...]:
        """The sizes as numbers, each once, the smallest first. Raises SettingError when there is none."""
        parts = listed(self.sizes)
        if not parts or not all(part.isdigit() for part in parts):
            raise SettingError(
                f"sizes must be whole numbers parted by commas, as in 500,2000; got {self.sizes!r}"
            )
        return tuple(sorted({int(part) for part in parts}))


def listed(text: str) -> tuple[str, ...]:
    """The parts of a text between commas, each once.

    >>> listed("none, strong,none")
    ('none', 'strong')
    """
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
