"""A step of preprocessing, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pomona.foundation.errors import DataError


@dataclass(frozen=True)
class Step:
    """Raw `columns` become the feature `output`; `kind` names the function in STEPS that does it.

    `settings` is plain JSON data that was fitted on the training split.
    """

    kind: str
    columns: tuple[str, ...]
    output: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The step as plain data."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "output": self.output,
            "settings": dict(self.settings),
        }

    @staticmethod
    def from_json(plain: Any) -> "Step":
        """The step that `to_json` wrote. Raises DataError for missing or unknown fields."""
        if not isinstance(plain, dict) or set(plain) != {"kind", "columns", "output", "settings"}:
            raise DataError(f"a preprocessing step has kind, columns, output and settings; got {plain}")
        return Step(plain["kind"], tuple(plain["columns"]), plain["output"], plain["settings"])
