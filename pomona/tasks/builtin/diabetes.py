"""`diabetes`: how far the disease went in a year, 442 patients, 10 measurements (in scikit-learn)."""

from typing import Any

from pomona.tasks.builtin.number_table import named_columns, number_table
from pomona.tasks.task import Task


def make(*, seed: int = 0) -> Task:
    """The task; splits by a hash of the measurements, which are in their own units."""
    from sklearn.datasets import load_diabetes

    table: Any = load_diabetes(scaled=False)
    return number_table(
        "diabetes",
        named_columns(table.data, table.feature_names),
        {"progression": table.target},
        seed=seed,
        about="the progression of diabetes from 10 measurements",
        licence="free for research (Efron et al. 2004)",
    )
