"""Fitting: the training loop and what belongs to it; populations, calibration, baselines, trials."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "fit": "loop",
        "fit_population": "members",
        "FitSettings": "settings",
        "FitResult": "result",
        "predict": "evaluate",
        "evaluation": "evaluate",
        "score_of": "evaluate",
        "OBJECTIVES": "objectives",
        "OPTIMISERS": "optimisers",
        "SCHEDULES": "schedules",
        "AUGMENTATIONS": "augment",
        "spread": "population",
        "each": "population",
        "pick": "population",
        "join": "population",
        "summarise": "population",
    },
)
