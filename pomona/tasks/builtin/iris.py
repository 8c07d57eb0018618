"""`iris`: 150 flowers of three species, four lengths each (Fisher 1936, in scikit-learn)."""

from typing import Any

import numpy as np

from pomona.tasks.builtin.number_table import named_columns, number_table
from pomona.tasks.task import Task


def make(*, seed: int = 0) -> Task:
    """The task; splits by a hash of the measurements."""
    from sklearn.datasets import load_iris

    table: Any = load_iris()
    return number_table(
        "iris",
        named_columns(table.data, table.feature_names),
        {"species": np.array(table.target_names, object)[table.target]},
        seed=seed,
        about="the species of iris flowers from four lengths",
        licence="CC BY 4.0",
    )
