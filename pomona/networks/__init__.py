"""Networks: a Spec is a network as data; blocks are functions; build makes the module.

Functions called like their module are imported from it, since a package can hold one of the two only:
`from pomona.networks.build import build`, likewise `adapt`, `describe` and `inherit`.
"""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Block": "spec",
        "Spec": "spec",
        "Signal": "signal",
        "Network": "network",
        "BLOCKS": "blocks",
        "BlockKind": "block_kind",
        "load_blocks": "blocks.user",
        "FORECAST_BLOCKS": "forecast_blocks",
        "ForecasterPlan": "forecaster",
        "ForecastShape": "forecaster",
        "forecaster_spec": "forecaster",
        "NETWORKS": "catalogue",
        "default_spec": "default",
        "head_block": "heads",
        "signals": "shapes",
        "signal_after": "shapes",
        "parameters": "cost",
        "flops": "cost",
        "spec_hash": "hashing",
        "looking_ahead": "causal",
        "InheritReport": "inherit",
        "drawing": "describe",
    },
)
