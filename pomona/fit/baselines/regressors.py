"""Regressors on the matrix of all inputs: boosted trees and ridge regression, as scikit-learn sets them."""

import numpy as np
from scipy import sparse

from pomona.fit.baselines.matrix import fit_matrix, has_tokens
from pomona.fit.baselines.method import PredictOne
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task

MAX_FORESTS = 32
"""Numbers, for each of which trees are grown."""


def takes_regressing_trees(task: Task) -> bool:
    """Tasks without text and with few numbers to predict."""
    num_numbers = sum(int(np.prod(target.shape)) for target in task.targets.values())
    return not has_tokens(task) and num_numbers <= MAX_FORESTS


def fit_regressing_trees(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Gradient-boosted trees on histograms, of each number by itself."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    matrix_of = fit_matrix(task, train, seed)
    matrix, truth = matrix_of(train), _flat(train[target])
    forests = [
        HistGradientBoostingRegressor(random_state=seed).fit(matrix, one, sample_weight=train.get("weight"))
        for one in truth.T
    ]

    def predict(batch: Batch) -> np.ndarray:
        given = matrix_of(batch)
        return _shaped(np.stack([forest.predict(given) for forest in forests], axis=1), task, target)

    return predict


def fit_ridge(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Least squares with a penalty, its strength by leave-one-out on the training examples (text: 1)."""
    from sklearn.linear_model import Ridge, RidgeCV

    matrix_of = fit_matrix(task, train, seed)
    matrix, truth = matrix_of(train), _flat(train[target])
    model = Ridge() if sparse.issparse(matrix) else RidgeCV(np.logspace(-3, 5, 9))
    model.fit(matrix, truth, sample_weight=train.get("weight"))
    return lambda batch: _shaped(model.predict(matrix_of(batch)), task, target)


def _flat(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).astype(np.float64)


def _shaped(values: np.ndarray, task: Task, target: str) -> np.ndarray:
    return values.reshape(-1, *task.targets[target].shape).astype(np.float32)
