"""Settings of a stress test. Nothing here imports torch: the command line reads its flags from them."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError

LEAST_MODELS = 5
"""A spread over fewer models says next to nothing: over 5 its own error is a third of it."""


@dataclass(frozen=True)
class StressSettings:
    """What is asked of how many models."""

    models: int = 50
    """Trainings that differ in the seed alone, at least 5."""

    families: tuple[str, ...] = ()
    """Family of stresses to make from the test examples; can be given several times, all that fit by
    default."""

    examples: int = 2000
    """Test examples at most that stresses are made from."""

    pick: str | None = None
    """Stress on which the best seed is chosen; it then is not among the results."""

    def __post_init__(self) -> None:
        if self.models < LEAST_MODELS:
            raise SettingError(
                f"models must be at least {LEAST_MODELS}, got {self.models}: how far seeds spread cannot be "
                "told from fewer"
            )
        if self.examples < 20:
            raise SettingError(f"examples must be at least 20, got {self.examples}")
