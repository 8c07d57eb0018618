"""Settings of a forecast. Nothing here imports torch: flags are read from them."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError


@dataclass(frozen=True)
class ForecastSettings:
    """How far ahead, on what clock, and how long models are looked for."""

    horizon: int | None = None
    """Steps to forecast; otherwise as many as rows with a missing value ask for, or what is usual for the
    frequency."""

    freq: str | None = None
    """Time from step to step, such as day, 30min or month; otherwise read off the data. Times in between are
    resampled only with it."""

    members: str = "auto"
    """Names of members with commas between them; auto runs those that the number of series and steps allows."""

    seconds: float | None = None
    """Time for the search of networks; otherwise by the amount of data."""

    trials: int | None = None
    """Networks to try; otherwise by the time."""

    windows: int | None = None
    """Origins of the validation; otherwise by the length of the series."""

    hierarchy: str | None = None
    """Columns from the widest to the narrowest with / between them; their sums are forecast too and add up."""

    resample: str = "sum"
    """What --freq makes of several values of a step: sum, mean, last, first, min or max."""

    duplicates: str = "refuse"
    """Rows of the same series and time: refuse, sum, mean, last or first."""

    def __post_init__(self) -> None:
        for name in ("horizon", "trials", "windows"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}")
        if self.seconds is not None and not self.seconds > 0:
            raise SettingError(f"seconds must be positive, got {self.seconds}")
