"""The layers of a network that can be pruned, and which of them are better left dense."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pomona.export.example import random_batch
from pomona.foundation.errors import SettingError, unknown_name
from pomona.foundation.randomness import stream
from pomona.networks.network import Network
from pomona.tasks.feature import Feature

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
RECURRENT = (nn.LSTM, nn.GRU)
KINDS: tuple[tuple[tuple[type[nn.Module], ...], str], ...] = (
    ((nn.Linear,), "linear"),
    (CONVOLUTIONS, "convolution"),
    (RECURRENT, "recurrent"),
    ((nn.Embedding,), "embedding"),
)
"""Leaf modules → what they are called. Normalisations and scales have no matrix and are never pruned."""


@dataclass(frozen=True)
class Layer:
    """One matrix or kernel of a network."""

    name: str
    """Of the weight, as in the state."""
    kind: str
    """linear, convolution, pointwise, depthwise, recurrent or embedding."""
    shape: tuple[int, ...]
    uses: int
    """How often each weight is multiplied for one example: pixels, steps."""
    why_dense: str = ""
    """What speaks for leaving it dense; "" for nothing."""

    @property
    def size(self) -> int:
        """How many weights."""
        return torch.Size(self.shape).numel()


def layers_of(network: Network) -> list[Layer]:
    """The layers in the order in which they are run on a made-up example; one that never runs is left out."""
    called: dict[str, int] = {}
    named = {path: part for path, part in network.named_modules() if kind_of(part)}
    watched = [part.register_forward_hook(_count_uses(path, called)) for path, part in named.items()]
    try:
        _run_once(network, network.spec.inputs)
    finally:
        for one in watched:
            one.remove()
    heads = tuple(f"blocks.{block_id}." for block_id in network.spec.outputs.values())
    first = next((path for path in called if isinstance(named[path], CONVOLUTIONS)), "")
    return [
        Layer(f"{path}.{weight}", kind, tuple(tensor.shape), uses, _why_dense(path, kind, first, heads, last))
        for path, uses in called.items()
        for kind, last in [(kind_of(named[path]), [*called][-1])]
        for weight, tensor in named[path].named_parameters(recurse=False)
        if tensor.ndim >= 2
    ]


def chosen_layers(layers: Sequence[Layer], dense: str) -> list[Layer]:
    """The layers to prune; `dense` is that of PruneSettings. Raises SettingError where none are left."""
    names = [part.strip() for part in dense.split(",") if part.strip()]
    for name in names:
        if name not in ("default", "none") and not any(_is_meant(layer, name) for layer in layers):
            raise unknown_name("layer", name, [layer.name for layer in layers])
    given = [name for name in names if name not in ("default", "none")]
    found = [
        layer
        for layer in layers
        if not ("default" in names and layer.why_dense) and not any(_is_meant(layer, name) for name in given)
    ]
    if not found:
        raise SettingError(
            f"nothing is left to prune, all {len(layers)} layers stay dense ({dense}): try --dense none"
        )
    return found


def kind_of(module: nn.Module) -> str:
    """What a leaf is called; "" for a module that is not pruned."""
    kind = next((name for types, name in KINDS if type(module) in types), "")
    if isinstance(module, CONVOLUTIONS):
        if module.groups > 1 and module.groups == module.in_channels:
            return "depthwise"
        if module.groups == 1 and set(module.kernel_size) == {1}:
            return "pointwise"
    return kind


def _is_meant(layer: Layer, name: str) -> bool:
    """Whether the name is the layer's or that of something around it, with or without "blocks."."""
    return any(f"{layer.name}.".startswith(f"{prefix}{name}.") for prefix in ("", "blocks."))


def _why_dense(path: str, kind: str, first: str, heads: tuple[str, ...], last: str) -> str:
    if kind in ("depthwise", "embedding"):
        return kind
    if f"{path}.".startswith(heads) or path == last:
        return "classifier"
    return "first convolution" if path == first else ""


def _count_uses(path: str, called: dict[str, int]) -> Any:
    def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        tensor = output[0] if isinstance(output, tuple) else output
        if not isinstance(tensor, Tensor):
            uses = int(inputs[0].shape[0])
        elif isinstance(module, CONVOLUTIONS):
            uses = tensor[0, 0].numel()
        else:
            uses = tensor[0].numel() // max(tensor.shape[-1], 1)
        called[path] = called.get(path, 0) + uses

    return hook


def _run_once(network: nn.Module, inputs: Mapping[str, Feature]) -> None:
    batch = random_batch(inputs, 1, generator=stream(0, "layers"))
    place = next((weight for weight in network.parameters()), torch.zeros(()))
    tensors = {name: torch.as_tensor(array).to(place.device) for name, array in batch.items()}
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        network(tensors)
    network.train(was_training)
