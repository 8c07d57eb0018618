"""The members by name."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pomona.find.forecasting.frequency import MOST_SEASON
from pomona.find.forecasting.problem import Panel, is_intermittent
from pomona.foundation.errors import unknown_name


@dataclass(frozen=True)
class Member:
    """One way to forecast, a module: `fit(panel, cut, settings, *, run)`, `predict(params, panel, cut)`."""

    title: str
    module: str
    most_values: int
    """How many series × steps it is still quick for."""
    is_baseline: bool = False
    """Whether it stands for the simple methods that anything better has to beat."""
    needs_zeros: bool = False
    """Whether it is for series of which a third of the values or more are 0."""
    needs_seasons: bool = False
    """Whether it is for series in which more than one season may come round."""
    needs_long_season: bool = False
    """Whether it is for a season longer than exponential smoothing is fitted with."""

    def load(self) -> Any:
        """The module."""
        return importlib.import_module(f"pomona.find.forecasting.members.{self.module}")


MEMBERS: dict[str, Member] = {
    "seasonal-naive": Member("as a season ago", "naive", 10**12, is_baseline=True),
    "likest-season": Member(
        "as the likest season ago", "likest", 10**12, is_baseline=True, needs_seasons=True
    ),
    "ets": Member("exponential smoothing", "ets", 200_000, is_baseline=True),
    "theta": Member("Theta", "theta", 1_000_000, is_baseline=True),
    "ces": Member("complex exponential smoothing", "ces", 200_000, is_baseline=True),
    "several-seasons": Member(
        "smoothing of several seasons", "seasons", 10**8, is_baseline=True, needs_long_season=True
    ),
    "seasonal-mean": Member("mean of eight seasons", "recent", 10**12, is_baseline=True, needs_zeros=True),
    "croston": Member("Croston's method", "croston", 10**9, is_baseline=True, needs_zeros=True),
    "tsb": Member("demand and its probability", "tsb", 10**8, is_baseline=True, needs_zeros=True),
    "adida": Member("one sum of steps (ADIDA)", "adida", 10**8, is_baseline=True, needs_zeros=True),
    "imapa": Member("sums of steps (IMAPA)", "imapa", 10**8, is_baseline=True, needs_zeros=True),
    "trees": Member("boosted trees on lags", "trees", 10**9),
    "networks": Member("networks found by search", "networks", 10**9),
}

MEDIAN = "median"
MEDIAN_OF = ("ets", "theta", "ces")
"""The median of these is a member of its own: it needs no parameters."""


def chosen_members(names: str, panel: Panel) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The members that run, and sentences on those that are left out because the data are too many."""
    wanted = tuple(name.strip() for name in names.split(",") if name.strip())
    for name in wanted:
        if name not in ("auto", *MEMBERS):
            raise unknown_name("member", name, ("auto", *MEMBERS))
    if wanted and "auto" not in wanted:
        return wanted, ()
    kept, notes = [], []
    size = len(panel.values)
    has_zeros = is_intermittent(panel)
    for name, member in MEMBERS.items():
        if member.needs_zeros and not has_zeros:
            continue
        if member.needs_seasons and len(panel.freq.seasons) < 2:
            continue
        if member.needs_long_season and max(panel.freq.seasons, default=1) <= MOST_SEASON:
            continue
        if size > member.most_values:
            notes.append(
                f"{member.title} was left out: {size:,} values are more than the {member.most_values:,} that "
                f"it is quick for; --members {name} runs it."
            )
        else:
            kept.append(name)
    return tuple(dict.fromkeys((*kept, *(name for name in wanted if name != "auto")))), tuple(notes)


def with_median(names: Iterable[str]) -> bool:
    """Whether there are members enough for their median to be another forecast."""
    return len(set(names) & set(MEDIAN_OF)) >= 2
