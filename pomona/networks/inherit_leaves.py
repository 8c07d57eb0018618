"""How a leaf takes over the weights of a leaf of another width.

An index says which channel of the parent stands at each channel of the child. Twice as wide, every channel
stands twice (Chen et al. 2015, Net2Net); narrower, the channels with the largest weights stay, in their
order. What a channel that stands more than once passes on is shared out among its copies at random, so that
the sum is what it was and the copies learn different things.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pomona.foundation.randomness import stream_seed

Index = Tensor | None
"""int64 (child channel) → parent channel; None where nothing is known."""


class Carrier:
    """Writes a parent's weights into a child's leaves and remembers what was written."""

    def __init__(self, child: nn.Module, seed: int):
        self.seed = seed
        self.names = {module: name for name, module in child.named_modules()}
        self.written: dict[str, tuple[int, int]] = {}
        """Name of the parameter → numbers of values of the child's and the parent's."""

    def write(self, leaf: nn.Module, name: str, value: Tensor, old: Tensor) -> None:
        """Sets the parameter or buffer `name` of the child's `leaf`; `old` is the parent's."""
        target: Tensor = getattr(leaf, name)
        with torch.no_grad():
            target.copy_(value)
        if isinstance(target, nn.Parameter):
            self.written[f"{self.names[leaf]}.{name}"] = (target.numel(), old.numel())

    def shares(self, leaf: nn.Module, index: Tensor, like: Tensor) -> Tensor:
        """A factor for every channel that is read; those of copies of one channel add up to 1."""
        generator = torch.Generator().manual_seed(stream_seed(self.seed, "inherit", self.names[leaf]))
        parts = torch.rand(len(index), generator=generator, dtype=torch.float64) + 0.5
        totals = torch.zeros(int(index.max()) + 1, dtype=torch.float64).index_add(0, index, parts)
        return (parts / totals[index]).to(like)


def known_input(index: Index, num_child: int, num_parent: int) -> Index:
    """The index if it fits both widths; the channels one to one if the widths are equal; otherwise None."""
    if index is not None and len(index) == num_child and int(index.max()) < num_parent:
        return index
    return torch.arange(num_child) if num_child == num_parent else None


def chosen_output(num_child: int, strengths: Tensor) -> Tensor:
    """Which of the parent's channels, of these strengths, the child's stand for."""
    num_parent = len(strengths)
    if num_child < num_parent:
        return strengths.topk(num_child).indices.sort().values
    copies = torch.full((num_parent,), num_child // num_parent)
    copies[: num_child % num_parent] += 1
    return torch.arange(num_parent).repeat_interleave(copies)


def linear(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index = None) -> Index:
    """Linear and convolutions; a kernel of another size keeps what both have, around its own step."""
    if getattr(child, "groups", 1) > 1:
        return _depthwise(child, parent, index, carrier)
    index = known_input(index, child.weight.shape[1], parent.weight.shape[1])
    if index is None:
        return None
    if out is None:
        out = chosen_output(len(child.weight), parent.weight.flatten(1).norm(dim=1))
    weight = _fitted(parent, child)[out][:, index]
    shares = carrier.shares(child, index, weight)
    carrier.write(child, "weight", weight * shares.reshape(1, -1, *[1] * (weight.ndim - 2)), parent.weight)
    _bias(child, parent, out, carrier)
    return out


def _depthwise(child: Any, parent: Any, index: Index, carrier: Carrier) -> Index:
    index = known_input(index, len(child.weight), len(parent.weight))
    if index is None or parent.groups != len(parent.weight):
        return None
    carrier.write(child, "weight", _fitted(parent, child)[index], parent.weight)
    _bias(child, parent, index, carrier)
    return index


def _bias(child: Any, parent: Any, out: Tensor, carrier: Carrier) -> None:
    if child.bias is not None and parent.bias is not None:
        carrier.write(child, "bias", parent.bias[out], parent.bias)


def _fitted(parent: Any, child: Any) -> Tensor:
    """The parent's kernel at the child's size: zeros added or values cut off where padding feeds it."""
    weight: Tensor = parent.weight
    for axis in range(2, weight.ndim):
        old, new = weight.shape[axis], child.weight.shape[axis]
        if old == new:
            continue
        # a causal kernel pads by its whole reach and ends at the present step; others are centred
        is_causal = child.padding[axis - 2] == child.dilation[axis - 2] * (new - 1) and new > 1
        before = new - old if is_causal else (new - old) // 2
        kept = weight.narrow(axis, max(0, -before), min(old, new))
        sides = [0, 0] * (weight.ndim - 1 - axis) + [max(0, before), new - min(old, new) - max(0, before)]
        weight = nn.functional.pad(kept, sides)
    return weight


def normalisation(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index = None) -> Index:
    """Normalisations and Scale: a value a channel. Channels that stand twice change no mean or variance."""
    index = known_input(index, len(child.weight), len(parent.weight))
    if index is not None:
        for name in ("weight", "bias", "running_mean", "running_var"):
            if getattr(child, name, None) is not None and getattr(parent, name, None) is not None:
                carrier.write(child, name, getattr(parent, name)[index], getattr(parent, name))
    return index


def embedding(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index = None) -> Index:
    """A row for every token or position; `out` says which columns stand where."""
    if len(child.weight) != len(parent.weight):
        return None
    if out is None:
        out = chosen_output(child.weight.shape[1], parent.weight.norm(dim=0))
    carrier.write(child, "weight", parent.weight[:, out], parent.weight)
    return out


def recurrent(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index = None) -> Index:
    """LSTM and GRU: the rows are gates, each as wide as the hidden state, which is also read."""
    index = known_input(index, child.input_size, parent.input_size)
    if index is None:
        return None
    old, num_gates = parent.hidden_size, len(parent.weight_ih_l0) // parent.hidden_size
    if out is None:
        strengths = parent.weight_ih_l0.unflatten(0, (num_gates, old)).norm(dim=(0, 2))
        out = chosen_output(child.hidden_size, strengths)
    rows = torch.cat([gate * old + out for gate in range(num_gates)])
    sources: Mapping[str, Tensor] = {"weight_ih_l0": index, "weight_hh_l0": out}
    for name, columns in sources.items():
        weight = getattr(parent, name)[rows][:, columns]
        shares = carrier.shares(child, columns, weight)
        carrier.write(child, name, weight * shares, getattr(parent, name))
    for name in ("bias_ih_l0", "bias_hh_l0"):
        carrier.write(child, name, getattr(parent, name)[rows], getattr(parent, name))
    return out
