"""How weights start.

leaf                          weight                                          bias
Linear, Conv                  Kaiming normal for ReLU, fan in                 0
Embedding                     normal, deviation 0.02                          –
LSTM, GRU                     uniform ± 1/√hidden, recurrent part orthogonal  0, forget gates 1
normalisations                1                                               0
Scale                         its own `initial`                               –

A module that wants otherwise has a method `initialise(generator)`, called after its parts have started: the
last leaf of a residual branch is zero, a head is small, attention is Xavier. Parameters of a user's module
that is no leaf keep the values that its constructor drew.
"""

from collections.abc import Callable

import torch
from torch import nn

from pomona.foundation.randomness import stream_seed
from pomona.nn.scale import Scale

GeneratorOf = Callable[[str], torch.Generator]


@torch.no_grad()
def initialise(module: nn.Module, seed: int, name: str = "") -> None:
    """Draws the weights of `module` anew, each from its own stream (seed, "init", "<name>.<parameter>").

    A weight depends on its own name and shape only: adding a block changes no other block's start. No global
    generator is read or changed.
    """
    for path, part in reversed(list(module.named_modules())):
        full = ".".join(filter(None, (name, path)))

        def generator_of(parameter: str, full: str = full) -> torch.Generator:
            return torch.Generator().manual_seed(stream_seed(seed, "init", f"{full}.{parameter}"))

        if type(part) in STARTS:
            STARTS[type(part)](part, generator_of)
        if hasattr(part, "initialise"):
            part.initialise(generator_of(""))  # type: ignore[operator]


def _kaiming(leaf: nn.Module, generator_of: GeneratorOf) -> None:
    nn.init.kaiming_normal_(leaf.weight, nonlinearity="relu", generator=generator_of("weight"))  # type: ignore[arg-type]
    if leaf.bias is not None:
        nn.init.zeros_(leaf.bias)  # type: ignore[arg-type]


def _embedding(leaf: nn.Module, generator_of: GeneratorOf) -> None:
    nn.init.normal_(leaf.weight, std=0.02, generator=generator_of("weight"))  # type: ignore[arg-type]


def _recurrent(leaf: nn.Module, generator_of: GeneratorOf) -> None:
    width: int = leaf.hidden_size  # type: ignore[assignment]
    for name, parameter in leaf.named_parameters():
        if name.startswith("weight_hh"):
            for start in range(0, len(parameter), width):
                nn.init.orthogonal_(
                    parameter[start : start + width], generator=generator_of(f"{name}.{start}")
                )
        elif name.startswith("weight_ih"):
            nn.init.uniform_(parameter, -(width**-0.5), width**-0.5, generator=generator_of(name))
        else:
            nn.init.zeros_(parameter)
            if isinstance(leaf, nn.LSTM) and name.startswith("bias_ih"):
                parameter[width : 2 * width] = 1.0


def _normalisation(leaf: nn.Module, generator_of: GeneratorOf) -> None:
    leaf.reset_parameters()  # type: ignore[operator]


def _scale(leaf: nn.Module, generator_of: GeneratorOf) -> None:
    nn.init.constant_(leaf.weight, leaf.initial)  # type: ignore[arg-type]


STARTS: dict[type[nn.Module], Callable[[nn.Module, GeneratorOf], None]] = {
    nn.Linear: _kaiming,
    nn.Conv1d: _kaiming,
    nn.Conv2d: _kaiming,
    nn.Embedding: _embedding,
    nn.LSTM: _recurrent,
    nn.GRU: _recurrent,
    nn.LayerNorm: _normalisation,
    nn.GroupNorm: _normalisation,
    nn.BatchNorm1d: _normalisation,
    nn.BatchNorm2d: _normalisation,
    Scale: _scale,
}
