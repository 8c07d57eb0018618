"""`linnerud`: weight, waist and pulse of 20 men from three exercises (three targets; in scikit-learn)."""

from typing import Any

from pomona.tasks.builtin.number_table import named_columns, number_table
from pomona.tasks.task import Task


def make(*, seed: int = 0) -> Task:
    """The task; splits by a hash of the exercises."""
    from sklearn.datasets import load_linnerud

    table: Any = load_linnerud()
    return number_table(
        "linnerud",
        named_columns(table.data, table.feature_names),
        named_columns(table.target, table.target_names),
        seed=seed,
        about="weight, waist and pulse from three exercises",
        licence="free for research (Tenenhaus 1998)",
    )
