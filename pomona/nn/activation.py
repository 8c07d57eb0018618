"""Activations by name."""

from typing import Literal, get_args

from torch import nn

from pomona.foundation.errors import unknown_name

Activation = Literal["relu", "silu", "gelu", "tanh", "none"]


def activation(name: str) -> nn.Module:
    """A module for the name; "none" passes everything on. Raises SettingError for another name."""
    if name not in get_args(Activation):
        raise unknown_name("activation", name, get_args(Activation))
    makers = {"relu": nn.ReLU, "silu": nn.SiLU, "gelu": nn.GELU, "tanh": nn.Tanh, "none": nn.Identity}
    return makers[name]()
