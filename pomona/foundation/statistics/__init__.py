"""How sure a number is: intervals, paired tests and their correction for multiplicity."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Conformal": "conformal",
        "conformal_classes": "conformal",
        "conformal_numbers": "conformal",
        "prediction_set": "conformal",
        "prediction_interval": "conformal",
        "Interval": "interval",
        "wilson_interval": "interval",
        "t_interval": "interval",
        "bootstrap_interval": "bootstrap",
        "paired_bootstrap_interval": "bootstrap",
        "Comparison": "paired",
        "mcnemar_test": "paired",
        "sign_flip_test": "paired",
        "wilcoxon_test": "paired",
        "corrected_t_test": "paired",
        "holm": "multiplicity",
        "benjamini_hochberg": "multiplicity",
    },
)
