"""Classifiers on the matrix of all inputs: support vectors, boosted trees, logistic regression.

They are scikit-learn's with its own settings, because a baseline that was tuned would not be cheap.
"""

import warnings
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from pomona.fit.baselines.constant import num_classes_of
from pomona.fit.baselines.matrix import Matrix, fit_matrix, has_tokens, num_rows
from pomona.fit.baselines.method import PredictOne
from pomona.fit.temperature import fit_temperature, temper
from pomona.tasks.batch import Batch
from pomona.tasks.outputs import softmax
from pomona.tasks.task import Task

MAX_MACHINES = 64
"""Classes or labels for which support vectors are still quick."""
MAX_FORESTS = 32
"""Classes, for each of which trees are grown."""

Probabilities = Float[np.ndarray, "batch classes"]
FitClasses = Callable[[Matrix, Int[np.ndarray, " batch"], np.ndarray], Callable[[Matrix], Probabilities]]
"""From a matrix, classes and weights to the probabilities of the classes that occur, in rising order."""


def takes_support_vectors(task: Task) -> bool:
    """Tasks without text and with few classes."""
    return not has_tokens(task) and all(len(t.classes) <= MAX_MACHINES for t in task.targets.values())


def takes_classifying_trees(task: Task) -> bool:
    """Tables with few classes: pixels and sounds would take long, and say little one by one."""
    is_table = all(feature.kind == "vector" for feature in task.inputs.values())
    return is_table and all(len(t.classes) <= MAX_FORESTS for t in task.targets.values())


def fit_support_vectors(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Support vectors with a Gaussian kernel, C = 1 and gamma = 1 / (columns × variance).

    Scores become probabilities by a temperature, which is fitted on the fifth of the training examples that a
    machine made of the others has not seen.
    """
    from sklearn.svm import SVC

    def fit(matrix: Matrix, truth: np.ndarray, weight: np.ndarray) -> Callable[[Matrix], Probabilities]:
        def scorer(rows: np.ndarray) -> Callable[[Matrix], Probabilities]:
            machine = SVC().fit(matrix[rows], truth[rows], sample_weight=weight[rows])
            return lambda given: softmax(_two_sided(machine.decision_function(given)))

        everyone = np.arange(len(truth))
        held_out = np.random.default_rng(seed).permutation(len(truth)) % 5 == 0
        temperature = 1.0
        if len(np.unique(truth[~held_out])) == len(np.unique(truth)):
            held, rest = everyone[held_out], everyone[~held_out]
            position = np.searchsorted(np.unique(truth), truth[held])
            temperature = fit_temperature(scorer(rest)(matrix[held]), position, weight=weight[held])
        final = scorer(everyone)
        return lambda given: temper("classify", final(given), temperature)

    return _fit_probabilities(task, target, train, seed, fit)


def fit_classifying_trees(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Gradient-boosted trees on histograms."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def fit(matrix: Matrix, truth: np.ndarray, weight: np.ndarray) -> Callable[[Matrix], Probabilities]:
        trees = HistGradientBoostingClassifier(random_state=seed)
        return trees.fit(matrix, truth, sample_weight=weight).predict_proba

    return _fit_probabilities(task, target, train, seed, fit)


def fit_logistic(task: Task, target: str, train: Batch, seed: int) -> PredictOne:
    """Logistic regression, of all classes at once or of every label by itself."""
    # rows of TF-IDF have length 1, so that the same strength of penalty weighs more on them
    strength = 10.0 if has_tokens(task) else 1.0

    def fit(matrix: Matrix, truth: np.ndarray, weight: np.ndarray) -> Callable[[Matrix], Probabilities]:
        return logistic(matrix, truth, weight, strength=strength)

    return _fit_probabilities(task, target, train, seed, fit)


def logistic(
    matrix: Matrix, truth: Int[np.ndarray, " row"], weight: np.ndarray, *, strength: float
) -> Callable[[Matrix], Probabilities]:
    """Probabilities by a logistic regression; `strength` is the inverse of the penalty's."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # nearly there is good enough
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=strength, max_iter=300).fit(matrix, truth, sample_weight=weight)
    return model.predict_proba


def _fit_probabilities(task: Task, target: str, train: Batch, seed: int, fit: FitClasses) -> PredictOne:
    matrix_of = fit_matrix(task, train, seed)
    matrix, truth = matrix_of(train), train[target]
    weight = train.get("weight", np.ones(len(truth)))
    if task.kind != "multilabel":
        classes = _over_all_classes(fit, matrix, truth, weight, num_classes_of(task, target))
        return lambda batch: classes(matrix_of(batch))
    labels = [_over_all_classes(fit, matrix, (one > 0.5).astype(np.int64), weight, 2) for one in truth.T]

    def predict(batch: Batch) -> np.ndarray:
        given = matrix_of(batch)
        return np.stack([label(given)[:, 1] for label in labels], axis=1)

    return predict


def _over_all_classes(
    fit: FitClasses, matrix: Matrix, truth: np.ndarray, weight: np.ndarray, num_classes: int
) -> Callable[[Matrix], Probabilities]:
    """The probabilities of all classes, those that no example has included."""
    present = np.unique(truth)
    # nothing is to be learned of one class
    found = fit(matrix, truth, weight) if len(present) > 1 else None
    doubt = 0.0 if len(present) == num_classes else 1 / (len(truth) + 1)

    def probabilities(given: Matrix) -> Probabilities:
        said = np.full((num_rows(given), num_classes), doubt / num_classes)
        said[:, present] += (1 - doubt) * (1.0 if found is None else found(given))
        return said.astype(np.float32)

    return probabilities


def _two_sided(scores: np.ndarray) -> Probabilities:
    # of two classes scikit-learn gives one score, that of the second
    return np.stack([np.zeros_like(scores), scores], axis=1) if scores.ndim == 1 else scores
