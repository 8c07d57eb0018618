"""`breast-cancer`: 569 tumours, malignant or benign, 30 measurements (UCI, in scikit-learn)."""

from typing import Any

import numpy as np

from pomona.tasks.builtin.number_table import named_columns, number_table
from pomona.tasks.task import Task


def make(*, seed: int = 0) -> Task:
    """The task; splits by a hash of the measurements."""
    from sklearn.datasets import load_breast_cancer

    table: Any = load_breast_cancer()
    return number_table(
        "breast-cancer",
        named_columns(table.data, table.feature_names),
        {"diagnosis": np.array(table.target_names, object)[table.target]},
        seed=seed,
        about="malignant or benign, from 30 measurements of cells",
        licence="CC BY 4.0",
    )
