"""Networks: a Spec is a network as data; blocks are functions; build makes the module."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "Block": "spec",
        "Spec": "spec",
        "Signal": "signal",
        "Network": "build",
        "build": "build",
        "BLOCKS": "blocks",
        "BlockKind": "block_kind",
        "load_blocks": "blocks.user",
        "signals": "shapes",
        "parameters": "cost",
        "flops": "cost",
        "spec_hash": "hashing",
        "inherit": "inherit",
        "default_spec": "default",
        "adapt": "adapt",
        "head_block": "heads",
        "NETWORKS": "catalogue",
        "describe": "describe",
    },
)
