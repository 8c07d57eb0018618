"""Preprocessing as data: the way from raw records, as a user has them, to a task's inputs."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pomona.foundation.errors import DataError, unknown_name
from pomona.tasks.batch import Batch, batch_size
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.steps import STEPS


@dataclass(frozen=True)
class Preprocessing:
    """Steps that each read raw columns and write a feature; without steps raw records are the inputs.

    Steps that write the same output are joined along the last axis, in order: that is how the columns of a
    table become one vector.
    """

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        for step in self.steps:
            if step.kind not in STEPS:
                raise unknown_name("preprocessing step", step.kind, STEPS)

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that are read, each once, in order."""
        return tuple(dict.fromkeys(column for step in self.steps for column in step.columns))

    def apply(self, raw: Mapping[str, np.ndarray]) -> Batch:
        """The inputs of a raw batch. Other columns, targets among them, are left aside.

        Raises DataError when a column is missing or cannot be what it was in training.
        """
        if not self.steps:
            return dict(raw)
        self._check_columns(raw)
        parts: dict[str, list[np.ndarray]] = {}
        for step in self.steps:
            for name, values in STEPS[step.kind](step, raw).items():
                parts.setdefault(name, []).append(values)
        return {
            name: arrays[0] if len(arrays) == 1 else np.concatenate(arrays, -1)
            for name, arrays in parts.items()
        }

    def to_json(self) -> list[dict[str, Any]]:
        """The steps as plain data."""
        return [step.to_json() for step in self.steps]

    @staticmethod
    def from_json(plain: Any) -> "Preprocessing":
        """The preprocessing that `to_json` wrote. Raises DataError or SettingError for anything else."""
        if not isinstance(plain, list):
            raise DataError(f"preprocessing is a list of steps, got {type(plain).__name__}")
        return Preprocessing(tuple(Step.from_json(entry) for entry in plain))

    def _check_columns(self, raw: Mapping[str, np.ndarray]) -> None:
        missing = [column for column in self.columns if column not in raw]
        if not missing:
            batch_size({column: raw[column] for column in self.columns})
            return
        near = difflib.get_close_matches(missing[0], list(raw), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        have = ", ".join(list(raw)[:20]) + (", …" if len(raw) > 20 else "")
        raise DataError(f"the model needs the column {missing[0]!r}{more}, the input has {have}{hint}")
