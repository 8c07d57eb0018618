"""Settings of the question how sure a network is. Nothing here imports torch: flags are read from them."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError


@dataclass(frozen=True)
class UncertaintySettings:
    """Which methods are asked, and how often."""

    methods: str = "all"
    """Names of methods with commas between them, or all that are for this kind of task."""

    seeds: int = 1
    """Fits of every method that differ in the seed alone; from two on, intervals are over seeds."""

    tune: int = 0
    """Settings to try for every method on validation data before its fits; 0 takes those on record, or the
    method's own."""

    leave_out: str | None = None
    """Class that no method sees in training: its examples are to be noticed as being from outside."""

    def __post_init__(self) -> None:
        if not self.methods.strip():
            raise SettingError("methods must name a method or be all, got nothing")
        for name, low in (("seeds", 1), ("tune", 0)):
            if getattr(self, name) < low:
                raise SettingError(f"{name} must be at least {low}, got {getattr(self, name)}")
