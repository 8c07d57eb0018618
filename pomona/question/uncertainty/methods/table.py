"""The table of methods."""

from pomona.fit.trials.space import Space
from pomona.question.uncertainty.methods import (
    batch_ensemble,
    dropout_everywhere,
    evidential,
    gaussian_process,
    heteroscedastic,
    mean_field,
    mimo,
    monte_carlo_dropout,
    quantiles,
    rank_one,
)
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
    "mc-dropout-improved": Method(
        dropout_everywhere.dropout_everywhere,
        BOTH,
        "The same with whole features dropped after every layer and examples shown several times a step.",
        dropout_everywhere.SPACE,
        "Nado et al. 2021, arXiv:2106.04015, footnote 11",
        dropout_everywhere.DEFAULTS,
    ),
    "batch-ensemble": Method(
        batch_ensemble.batch_ensemble,
        BOTH,
        "Members that share every matrix up to a product of two vectors of their own.",
        batch_ensemble.SPACE,
        "Wen et al. 2020, arXiv:2002.06715",
        batch_ensemble.DEFAULTS,
    ),
    "rank-1-normal": Method(
        rank_one.rank_one_normal,
        BOTH,
        "BatchEnsemble whose vectors are drawn from normal laws that are learned.",
        rank_one.SPACE,
        "Dusenberry et al. 2020, arXiv:2005.07186",
        rank_one.DEFAULTS,
    ),
    "rank-1-cauchy": Method(
        rank_one.rank_one_cauchy,
        BOTH,
        "BatchEnsemble whose vectors are drawn from Cauchy laws that are learned.",
        rank_one.SPACE,
        "Dusenberry et al. 2020, arXiv:2005.07186",
        rank_one.DEFAULTS,
    ),
    "mimo": Method(
        mimo.mimo,
        BOTH,
        "One network that sees several examples at once and answers for each.",
        mimo.SPACE,
        "Havasi et al. 2021, arXiv:2010.06610",
        mimo.DEFAULTS,
    ),
    "sngp": Method(
        gaussian_process.gaussian_process,
        BOTH,
        "Layers of bounded stretch under a Gaussian process, which knows how far it is from what it saw.",
        gaussian_process.SPACE,
        "Liu et al. 2020, arXiv:2006.10108",
        gaussian_process.DEFAULTS,
    ),
    "sngp-ensemble": Method(
        gaussian_process.gaussian_process_ensemble,
        BOTH,
        "Several SNGPs from unlike seeds.",
        gaussian_process.SPACE,
        "Liu et al. 2022, arXiv:2205.00403",
        gaussian_process.ENSEMBLE_DEFAULTS,
    ),
    "heteroscedastic": Method(
        heteroscedastic.heteroscedastic,
        BOTH,
        "A head that also tells the noise: low-rank plus diagonal of logits, a variance of values.",
        heteroscedastic.SPACE,
        "Collier et al. 2021, arXiv:2105.10305; Nix and Weigend 1994",
        heteroscedastic.DEFAULTS,
    ),
    "heteroscedastic-ensemble": Method(
        heteroscedastic.heteroscedastic_ensemble,
        BOTH,
        "Several heteroscedastic networks from unlike seeds.",
        heteroscedastic.SPACE,
        "Collier et al. 2021, arXiv:2105.10305; Lakshminarayanan et al. 2017, arXiv:1612.01474",
        heteroscedastic.ENSEMBLE_DEFAULTS,
    ),
    "mean-field": Method(
        mean_field.mean_field,
        BOTH,
        "Every weight has a normal law of its own, learned by variational inference.",
        mean_field.SPACE,
        "Blundell et al. 2015, arXiv:1505.05424",
        mean_field.DEFAULTS,
    ),
    "evidential": Method(
        evidential.evidential,
        ("classify",),
        "A head that counts evidence for every class.",
        evidential.SPACE,
        "Sensoy et al. 2018, arXiv:1806.01768",
        evidential.DEFAULTS,
    ),
    "quantile": Method(
        quantiles.quantiles,
        ("regress",),
        "A head that gives quantiles.",
        quantiles.SPACE,
        "Koenker and Bassett 1978",
        quantiles.DEFAULTS,
    ),
}
"""Name → method."""
