"""All baselines by name. The constant is the first, and takes every task."""

from pomona.fit.baselines.classifiers import (
    fit_classifying_trees,
    fit_logistic,
    fit_support_vectors,
    takes_classifying_trees,
    takes_support_vectors,
)
from pomona.fit.baselines.constant import fit_constant
from pomona.fit.baselines.forecasts import fit_linear_forecast, fit_seasonal_naive, has_past
from pomona.fit.baselines.method import Method
from pomona.fit.baselines.ngrams import fit_bigrams, fit_fourgrams, has_previous_tokens
from pomona.fit.baselines.pixels import fit_pixel_trees, has_aligned_image
from pomona.fit.baselines.regressors import fit_regressing_trees, fit_ridge, takes_regressing_trees
from pomona.fit.baselines.steps import (
    fit_step_majority,
    fit_step_regression,
    has_aligned_steps,
    has_aligned_tokens,
)
from pomona.tasks.task import Task


def takes_any(task: Task) -> bool:
    """Every task."""
    return True


BASELINES: dict[str, Method] = {
    "constant": Method(
        ("classify", "multilabel", "regress", "segment", "sequence", "language", "forecast"),
        takes_any,
        fit_constant,
        appetite=4,
    ),
    "support vectors": Method(("classify", "multilabel"), takes_support_vectors, fit_support_vectors),
    "logistic regression": Method(("classify", "multilabel"), takes_any, fit_logistic, appetite=4),
    "boosted trees": Method(("classify",), takes_classifying_trees, fit_classifying_trees, appetite=4),
    "boosted trees of numbers": Method(
        ("regress",), takes_regressing_trees, fit_regressing_trees, appetite=4
    ),
    "ridge regression": Method(("regress", "forecast"), takes_any, fit_ridge, appetite=4),
    "boosted trees of pixels": Method(("segment",), has_aligned_image, fit_pixel_trees),
    "usual tag of each token": Method(("sequence",), has_aligned_tokens, fit_step_majority, appetite=20),
    "logistic regression of steps": Method(("sequence",), has_aligned_steps, fit_step_regression),
    "2-gram counts": Method(("language",), has_previous_tokens, fit_bigrams, appetite=20),
    "4-gram counts": Method(("language",), has_previous_tokens, fit_fourgrams, appetite=20),
    "seasonal naive": Method(("forecast",), has_past, fit_seasonal_naive),
    "linear autoregression": Method(("forecast",), has_past, fit_linear_forecast),
}
