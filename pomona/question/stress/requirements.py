"""Requirements that a user sets on models under stress, as a gate.

- split: contrast-3        # a stress, or test
  metric: worst            # score, worst, best, sd, seed_sd, ratio
  group: digit=8           # optional: these examples of the split only
  bound: ">= 0.8"
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from pomona.foundation.errors import DataError, SettingError, unknown_name
from pomona.foundation.files import read_text
from pomona.question.stress.statistics.components import components

METRICS = ("score", "worst", "best", "sd", "seed_sd", "ratio")
LEAST_EXAMPLES = 20

_BOUND = re.compile(r"\s*(>=|<=|>|<)\s*([-+0-9.eE]+)\s*(%?)\s*")


@dataclass(frozen=True)
class Requirement:
    """A bound on one number of one split; scores are means over models unless a model is named."""

    split: str
    metric: str
    sign: str
    bound: float
    group: str = ""

    @property
    def text(self) -> str:
        """The requirement in words."""
        of = f" of {self.group}" if self.group else ""
        return f"{self.metric} on {self.split}{of} {self.sign} {self.bound:g}"

    def is_met(self, value: float | None) -> bool:
        """Whether a number meets the bound; one that has no meaning does not."""
        if value is None or not np.isfinite(value):
            return False
        return {
            ">=": value >= self.bound,
            "<=": value <= self.bound,
            ">": value > self.bound,
            "<": value < self.bound,
        }[self.sign]


@dataclass(frozen=True)
class Verdict:
    """What a requirement came to."""

    requirement: Requirement
    value: float | None
    is_met: bool
    num_examples: int


def read_requirements(path: str | Path) -> tuple[Requirement, ...]:
    """The requirements in a YAML file. Raises SettingError for anything that is none."""
    import yaml

    path = Path(path)
    if not path.is_file():
        raise SettingError(f"no file of requirements {path}: give a YAML file")
    try:
        plain = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise SettingError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    entries = plain.get("requirements") if isinstance(plain, Mapping) else plain
    if not isinstance(entries, list) or not entries:
        raise SettingError(f"{path} should list requirements, each with split, metric and bound")
    return tuple(
        _requirement(entry, f"{path}, requirement {index}") for index, entry in enumerate(entries, 1)
    )


def judge(
    requirements: Sequence[Requirement],
    values: Mapping[str, Float[np.ndarray, "member batch"]],
    groups: Mapping[str, Mapping[str, Int[np.ndarray, " group"]]],
    *,
    greater_is_better: bool,
) -> list[Verdict]:
    """A verdict each; `values` holds the scores by split, `groups` the positions of groups in each split.

    Raises SettingError for an unknown split or group, DataError for one too small to be judged by.
    """
    return [_judged(one, values, groups, greater_is_better) for one in requirements]


def _judged(
    one: Requirement,
    values: Mapping[str, np.ndarray],
    groups: Mapping[str, Mapping[str, np.ndarray]],
    greater_is_better: bool,
) -> Verdict:
    if one.split not in values:
        raise unknown_name("split in the requirements", one.split, values)
    scores, clean = values[one.split], values["test"]
    if one.group:
        known = groups.get(one.split, {})
        if one.group not in known:
            raise unknown_name(f"group of {one.split} in the requirements", one.group, known)
        scores = scores[:, known[one.group]]
    if scores.shape[1] < LEAST_EXAMPLES:
        raise DataError(
            f"the requirement '{one.text}' has {scores.shape[1]} examples; to judge by, it needs at least "
            f"{LEAST_EXAMPLES}"
        )
    value = _value(one.metric, scores, clean, greater_is_better)
    return Verdict(one, value, one.is_met(value), scores.shape[1])


def _value(metric: str, scores: np.ndarray, clean: np.ndarray, greater_is_better: bool) -> float | None:
    means = scores.mean(axis=1)
    if metric == "score":
        return float(means.mean())
    if metric in ("worst", "best"):
        return float(means.min() if (metric == "worst") == greater_is_better else means.max())
    parts = components(scores)
    if metric == "sd":
        return float(parts.total) ** 0.5
    seed = max(float(parts.seed), 0.0)
    if metric == "seed_sd":
        return seed**0.5
    base = float(components(clean).seed)
    return (seed / base) ** 0.5 if base > 0 else None


def _requirement(entry: Any, where: str) -> Requirement:
    if not isinstance(entry, Mapping) or not {"split", "metric", "bound"} <= set(entry):
        raise SettingError(f"{where} needs split, metric and bound; got {entry}")
    for key in entry:
        if key not in ("split", "metric", "bound", "group"):
            raise SettingError(f"{where} has the unknown key {key!r}; known: split, metric, group, bound")
    metric = str(entry["metric"])
    if metric not in METRICS:
        raise SettingError(f"{where}: {unknown_name('metric', metric, METRICS)}")
    match = _BOUND.fullmatch(str(entry["bound"]))
    try:
        number = float(match[2]) if match else float("nan")
    except ValueError:
        number = float("nan")
    if match is None or not np.isfinite(number):
        raise SettingError(f"{where}: a bound is such as '>= 0.9' or '< 2 %', got {entry['bound']!r}")
    bound = number / 100 if match[3] else number
    return Requirement(str(entry["split"]), metric, match[1], bound, str(entry.get("group", "")))
