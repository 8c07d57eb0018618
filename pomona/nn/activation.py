"""Activations by name."""

from typing import Literal

from torch import nn

Activation = Literal["relu", "silu", "gelu", "tanh", "none"]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "none": nn.Identity,
}


def activation_named(name: str) -> nn.Module:
    """A module for the name; "none" passes everything on."""
    return ACTIVATIONS[name]()
