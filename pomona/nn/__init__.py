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
        "DropPath": "drop_path",
        "GatedConvolution": "dilated",
        "GlobalPool": "global_pool",
        "ImageTokens": "image_tokens",
        "LogMel": "mel",
        "Patches": "reshape",
        "Positions": "positions",
        "Recurrent": "recurrent",
        "Rotation": "positions",
        "resized_positions": "position_grid",
        "Scale": "scale",
        "SelfAttention": "attention",
        "SeriesConvolution": "series_convolution",
        "SeriesPool": "pooling",
        "Shortcut": "shortcut",
        "SqueezeExcite": "squeeze_excite",
    },
)
