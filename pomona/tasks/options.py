"""How a user's own table or folder is to be read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class DataOptions:
    """What a user says of a table or folder. Built-in tasks know all of it themselves and take none."""

    target: tuple[str, ...] = ()
    """Column to predict; give it several times for several targets."""

    kind: (
        Literal["classify", "multilabel", "regress", "segment", "sequence", "language", "forecast"] | None
    ) = None
    """What kind of task it is; told from the data when not given."""

    group: str | None = None
    """Column whose equal values stay in one split, such as a person or a day."""

    valid: Path | None = None
    """File or folder with the validation examples; otherwise a part of the data by stable hash."""

    test: Path | None = None
    """File or folder with the test examples; otherwise a part of the data by stable hash."""

    ignore: tuple[str, ...] = ()
    """Column that is not to be used; can be given several times."""

    def given(self) -> dict[str, Any]:
        """The options that say something."""
        return {name: value for name, value in vars(self).items() if value not in (None, ())}
