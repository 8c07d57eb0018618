"""All metrics by name, and which are reported for which kind of task."""

from pomona.tasks.metrics.accuracy import ACCURACY_METRICS
from pomona.tasks.metrics.calibration import CALIBRATION_METRICS
from pomona.tasks.metrics.forecasting import FORECASTING_METRICS
from pomona.tasks.metrics.likelihood import LIKELIHOOD_METRICS
from pomona.tasks.metrics.metric import Metric
from pomona.tasks.metrics.overlap import OVERLAP_METRICS
from pomona.tasks.metrics.ranking import RANKING_METRICS
from pomona.tasks.metrics.regression import REGRESSION_METRICS

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *ACCURACY_METRICS,
        *OVERLAP_METRICS,
        *LIKELIHOOD_METRICS,
        *RANKING_METRICS,
        *CALIBRATION_METRICS,
        *REGRESSION_METRICS,
        *FORECASTING_METRICS,
    )
}

DEFAULT_METRICS: dict[str, tuple[str, ...]] = {
    "classify": (
        "accuracy",
        "nll",
        "brier",
        "balanced_accuracy",
        "macro_f1",
        "auroc",
        "average_precision",
        "top5_accuracy",
        "ece",
    ),
    "multilabel": ("average_precision", "macro_f1", "micro_f1", "auroc", "hamming", "exact_match", "nll"),
    "regress": ("rmse", "mae", "r2", "median_absolute_error", "mean_distance"),
    "segment": ("mean_iou", "accuracy", "dice", "nll"),
    "sequence": ("accuracy", "macro_f1", "exact_match", "nll"),
    "language": ("perplexity", "bits_per_token", "accuracy"),
    "forecast": ("rmse", "mae", "smape", "wape", "mase"),
}
"""The first is what is optimised."""
