"""Tasks of scikit-learn's small tables: columns of numbers by name, one or several targets."""

from collections.abc import Mapping

import numpy as np

from pomona.tasks.assemble import task_of_arrays
from pomona.tasks.batch import take
from pomona.tasks.preprocessing.numbers import fit_numbers
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.targets import category_target, number_target
from pomona.tasks.splits import content_keys, split_by_hash
from pomona.tasks.task import Task


def number_table(
    name: str,
    columns: Mapping[str, np.ndarray],
    targets: Mapping[str, np.ndarray],
    *,
    seed: int,
    about: str,
    licence: str,
) -> Task:
    """A task of columns of numbers; targets of text are classified, targets of numbers are foretold."""
    raw = {**columns, **targets}
    splits = {split: take(raw, ids) for split, ids in split_by_hash(content_keys(columns), seed=seed).items()}
    train = splits["train"]
    is_text = all(values.dtype == object for values in targets.values())
    describe = category_target if is_text else number_target
    return task_of_arrays(
        name,
        "classify" if is_text else "regress",
        splits,
        Preprocessing((fit_numbers({column: train[column] for column in columns}),)),
        {target: describe(target, train[target]) for target in targets},
        about=about,
        licence=licence,
    )


def named_columns(values: np.ndarray, names: list[str]) -> dict[str, np.ndarray]:
    """The columns of a matrix by name."""
    return {str(name): values[:, index] for index, name in enumerate(names)}
