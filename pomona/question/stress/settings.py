"""Settings of a stress test. Nothing here imports torch: the command line reads its flags from them."""

from dataclasses import dataclass
from pathlib import Path

from pomona.foundation.errors import SettingError

LEAST_MODELS = 5
"""A spread over fewer models says next to nothing: over 5 its own error is a third of it."""


@dataclass(frozen=True)
class StressSettings:
    """What is asked of how many models."""

    models: int = 50
    """Trainings that differ in the seed alone, at least 5."""

    families: tuple[str, ...] = ()
    """Family of stresses; can be given several times, all that fit the inputs when not given."""

    examples: int = 2000
    """Test examples at most that stresses are made from."""

    by: tuple[str, ...] = ()
    """Column, target or `group` whose values make groups of test examples; can be given several times."""

    shifted: tuple[str, ...] = ()
    """NAME=PATH of a table or npz file with examples from elsewhere; can be given several times."""

    stress: Path | None = None
    """Python file with stresses of your own: functions of (batch, generator) or of (task, seed)."""

    pick: str | None = None
    """Stress on whose validation examples the best seed is chosen; it then is not among the results."""

    requirements: Path | None = None
    """YAML file of bounds that must be met; otherwise the exit code is 3."""

    def __post_init__(self) -> None:
        if self.models < LEAST_MODELS:
            raise SettingError(
                f"models must be at least {LEAST_MODELS}, got {self.models}: how far seeds spread cannot be "
                "told from fewer"
            )
        if self.examples < 20:
            raise SettingError(f"examples must be at least 20, got {self.examples}")
