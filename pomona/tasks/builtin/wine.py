"""`wine`: 178 wines of three cultivars, 13 chemical measurements (UCI, in scikit-learn)."""

from typing import Any

import numpy as np

from pomona.tasks.builtin.number_table import named_columns, number_table
from pomona.tasks.task import Task


def make(*, seed: int = 0) -> Task:
    """The task; splits by a hash of the measurements."""
    from sklearn.datasets import load_wine

    table: Any = load_wine()
    return number_table(
        "wine",
        named_columns(table.data, table.feature_names),
        {"cultivar": np.array(table.target_names, object)[table.target]},
        seed=seed,
        about="the cultivar of wines from 13 measurements",
        licence="CC BY 4.0",
    )
