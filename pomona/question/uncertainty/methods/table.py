"""The table of methods."""

from pomona.fit.trials.space import Space
from pomona.question.uncertainty.methods import batch_ensemble, monte_carlo_dropout
from pomona.question.uncertainty.methods.deterministic import deterministic
from pomona.question.uncertainty.methods.method import Method

BOTH = ("classify", "regress")

METHODS: dict[str, Method] = {
    "deterministic": Method(
        deterministic,
        BOTH,
        "One network, fitted as usual.",
        Space({}),
        "Goodfellow et al. 2016, Deep Learning",
    ),
    "mc-dropout": Method(
        monte_carlo_dropout.monte_carlo_dropout,
        BOTH,
        "One network with dropout after every block, which stays on when it answers.",
        monte_carlo_dropout.SPACE,
        "Gal and Ghahramani 2016, arXiv:1506.02142",
        monte_carlo_dropout.DEFAULTS,
    ),
    "batch-ensemble": Method(
        batch_ensemble.batch_ensemble,
        BOTH,
        "Members that share every matrix up to a product of two vectors of their own.",
        batch_ensemble.SPACE,
        "Wen et al. 2020, arXiv:2002.06715",
        batch_ensemble.DEFAULTS,
    ),
}
"""Name → method."""
