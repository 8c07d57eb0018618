"""Layers: the closed set of leaves that own weights, and what is built from them, one idea a file."""

from pomona.foundation.lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        "LEAVES": "leaves",
        "Scale": "scale",
        "Chain": "chain",
        "Shortcut": "shortcut",
        "SeriesConvolution": "series_convolution",
        "initialise": "initialise",
        "activation": "activation",
        "image_norm": "normalisation",
        "series_norm": "normalisation",
    },
)
