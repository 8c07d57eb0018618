"""Dense layers, for vectors and for every step of a series."""

from torch import nn

from pomona.networks.arguments import Dropout, Factor, Width
from pomona.networks.signal import Signal
from pomona.nn.activation import Activation, activation_named
from pomona.nn.normalisation import FeatureNorm, feature_norm
from pomona.nn.shortcut import Shortcut


def dense(
    signal: Signal,
    *,
    width: Width = 64,
    activation: Activation = "relu",
    norm: FeatureNorm = "none",
    dropout: Dropout = 0.0,
) -> nn.Module:
    """Linear, normalisation, activation, dropout."""
    return nn.Sequential(
        nn.Linear(signal.width, width),
        feature_norm(norm, width),
        activation_named(activation),
        nn.Dropout(dropout),
    )


def residual_dense(
    signal: Signal, *, expand: Factor = 2, activation: Activation = "relu", dropout: Dropout = 0.0
) -> nn.Module:
    """x + f(x), where f normalises, becomes `expand` times as wide, and comes back."""
    inner = expand * signal.width
    return Shortcut(
        nn.Sequential(
            nn.LayerNorm(signal.width),
            nn.Linear(signal.width, inner),
            activation_named(activation),
            nn.Dropout(dropout),
            nn.Linear(inner, signal.width),
        )
    )
