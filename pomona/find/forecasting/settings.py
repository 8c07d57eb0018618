"""Settings of a forecast. Nothing here imports torch: flags are read from them."""

from dataclasses import dataclass

from pomona.foundation.errors import SettingError, unknown_name

COMBINATIONS = ("sum", "mean", "last", "first", "min", "max")


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
    """Names of members with commas between them; auto runs those that the amount of data allows."""

    seconds: float | None = None
    """Time for the search of networks; otherwise by the amount of data."""

    trials: int | None = None
    """Networks to try; otherwise by the time."""

    windows: int | None = None
    """Origins of the validation; otherwise by the length of the series."""

    hierarchy: str | None = None
    """Columns with / between them, widest first; their sums are forecast too, and all forecasts add up."""

    resample: str = "sum"
    """What --freq makes of several values of a step: sum, mean, last, first, min or max."""

    duplicates: str = "refuse"
    """Rows of the same series and time: refuse, sum, mean, last or first."""

    def __post_init__(self) -> None:
        for name in ("horizon", "trials", "windows"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(f"{name} must be at least 1, got {value}")
        if self.resample not in COMBINATIONS:
            raise unknown_name("way to resample", self.resample, COMBINATIONS)
        if self.duplicates not in ("refuse", *COMBINATIONS):
            raise unknown_name("way to treat duplicates", self.duplicates, ("refuse", *COMBINATIONS))
        if self.seconds is not None and not self.seconds > 0:
            raise SettingError(f"seconds must be positive, got {self.seconds}")


@dataclass(frozen=True)
class ColumnOptions:
    """Which column of a table is what."""

    time: str | None = None
    """Column of the times; otherwise ds, date, time or timestamp."""

    value: str | None = None
    """Column of what is forecast; otherwise y, value or target."""

    series: tuple[str, ...] | None = None
    """Column that names the series; can be given several times. Otherwise unique_id, where there is one."""

    known_future: tuple[str, ...] = ()
    """Column that is known ahead; can be given several times. Its values for the horizon are in rows without
    a value."""

    static: tuple[str, ...] = ()
    """Column that says something of a series and does not change; can be given several times."""

    timezone: str | None = None
    """Zone on whose clock days and hours are, such as Europe/Vienna."""

    def __post_init__(self) -> None:
        for name in ("series", "known_future", "static"):
            given = getattr(self, name)
            if given is not None:
                # one text may name several, with commas between them
                given = (given,) if isinstance(given, str) else given
                parts = tuple(part.strip() for one in given for part in one.split(",") if part.strip())
                object.__setattr__(self, name, parts)
