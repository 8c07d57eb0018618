"""Settings of a replay on tables. Nothing here imports torch: the command line reads its flags from them."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError


@dataclass(frozen=True)
class ReplaySettings:
    """Which strategy is replayed, how long its searches are, and how many of them there are."""

    strategy: str = "beam"
    """How the next point to try is chosen; random search stands beside it."""

    trials: int = 200
    """Evaluations of a search."""

    repetitions: int = 50
    """Searches on each table, of which the mean is told."""

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise SettingError(f"trials must be at least 1, got {self.trials}")
        if self.repetitions < 2:
            raise SettingError(f"repetitions must be at least 2 for a standard error, got {self.repetitions}")
