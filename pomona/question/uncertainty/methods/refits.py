"""Methods that train the usual network otherwise or several times, or correct what it says."""

from pomona.question.uncertainty.methods import (
    conformal_intervals,
    conformal_sets,
    deep_ensemble,
    focal,
    hyper_ensemble,
    softened,
    temperature_scaling,
)
from pomona.question.uncertainty.methods.method import Method

REFITS: dict[str, Method] = {
    "temperature-scaling": Method(
        temperature_scaling.temperature_scaling,
        ("classify",),
        "One network whose probabilities are softened by one number, fitted on examples kept for that.",
        temperature_scaling.SPACE,
        "Guo et al. 2017, arXiv:1706.04599",
        temperature_scaling.DEFAULTS,
    ),
    "deep-ensemble": Method(
        deep_ensemble.deep_ensemble,
        ("classify", "regress"),
        "Several networks that differ in nothing but the seed.",
        deep_ensemble.SPACE,
        "Lakshminarayanan et al. 2017, arXiv:1612.01474",
        deep_ensemble.DEFAULTS,
    ),
    "hyper-ensemble": Method(
        hyper_ensemble.hyper_ensemble,
        ("classify", "regress"),
        "Several networks with hyperparameters of their own, taken greedily from more.",
        hyper_ensemble.SPACE,
        "Wenzel et al. 2020, arXiv:2006.13570",
        hyper_ensemble.DEFAULTS,
    ),
    "focal": Method(
        focal.focal,
        ("classify",),
        "One network for which examples got right with ease count less.",
        focal.SPACE,
        "Mukhoti et al. 2020, arXiv:2002.09437",
        focal.DEFAULTS,
    ),
    "label-smoothing": Method(
        softened.label_smoothing,
        ("classify",),
        "One network; a share of the truth is spread over all classes.",
        softened.SMOOTHING_SPACE,
        "Müller et al. 2019, arXiv:1906.02629",
        softened.SMOOTHING_DEFAULTS,
    ),
    "mixup": Method(
        softened.mixup,
        ("classify",),
        "One network, trained on mixtures of two examples.",
        softened.MIXUP_SPACE,
        "Thulasidasan et al. 2019, arXiv:1905.11001",
        softened.MIXUP_DEFAULTS,
    ),
    "conformal": Method(
        conformal_sets.conformal_sets,
        ("classify",),
        "Sets of classes above one threshold that hold the truth nine times in ten.",
        conformal_sets.SPACE,
        "Sadinle et al. 2019, arXiv:1609.00451",
        conformal_sets.DEFAULTS,
    ),
    "conformal-adaptive": Method(
        conformal_sets.adaptive_sets,
        ("classify",),
        "Sets of the likeliest classes up to one total, larger where it is harder.",
        conformal_sets.SPACE,
        "Romano et al. 2020, arXiv:2006.02544",
        conformal_sets.DEFAULTS,
    ),
    "conformal-residual": Method(
        conformal_intervals.residual_intervals,
        ("regress",),
        "Intervals of one width around the usual network's values that hold the truth nine times in ten.",
        conformal_intervals.SPACE,
        "Lei et al. 2018, arXiv:1604.04173",
        conformal_intervals.DEFAULTS,
    ),
    "conformal-quantile": Method(
        conformal_intervals.quantile_intervals,
        ("regress",),
        "Intervals between foretold quantiles, moved so that they hold the truth nine times in ten.",
        conformal_intervals.SPACE,
        "Romano et al. 2019, arXiv:1905.03222",
        conformal_intervals.DEFAULTS,
    ),
}
"""Name → method."""
