"""Layers: the closed set of leaves that own weights, and what is built from them, one idea a file."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "LEAVES": "leaves",
        "weights_outside_leaves": "leaves",
        "initialise": "start",
        "activation_named": "activation",
        "image_norm": "normalisation",
        "feature_norm": "normalisation",
        "AttentivePool": "global_pool",
        "Cell": "cell",
        "Chain": "chain",
        "GatedConvolution": "dilated",
        "GlobalPool": "global_pool",
        "LogMel": "mel",
        "Patches": "reshape",
        "Positions": "positions",
        "Recurrent": "recurrent",
        "Rotation": "positions",
        "Scale": "scale",
        "SelfAttention": "attention",
        "SeriesConvolution": "series_convolution",
        "SeriesPool": "pooling",
        "Shortcut": "shortcut",
        "SqueezeExcite": "squeeze_excite",
    },
)
