"""Trials and where they are kept, spaces of settings, and small searches in them."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Proposal": "trial",
        "Trial": "trial",
        "TrialStore": "store",
        "MemoryStore": "memory",
        "OptunaStore": "optuna_store",
        "Space": "space",
        "Choice": "space",
        "Float": "space",
        "Int": "space",
        "METHODS": "strategies",
        "StrategySettings": "strategies",
        "Suggestion": "strategies",
        "tune": "tuning",
        "TuneResult": "tuning",
    },
)
