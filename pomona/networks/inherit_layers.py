"""How layers made of leaves hand the indices of their channels on; one rule a layer."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from pomona.networks import inherit_leaves as leaves
from pomona.networks.blocks.etc import EtcLayer
from pomona.networks.construct import Gated
from pomona.networks.inherit_leaves import Carrier, Index, chosen_output, known_input
from pomona.nn.activation import ACTIVATIONS
from pomona.nn.attention import SelfAttention
from pomona.nn.cell import Cell
from pomona.nn.chain import Chain
from pomona.nn.dilated import GatedConvolution
from pomona.nn.drop_path import DropPath
from pomona.nn.global_pool import AttentivePool, GlobalPool
from pomona.nn.head import Head, PixelHead, StepHead
from pomona.nn.image_tokens import AsGrid, FirstTokens, ImageTokens, PatchMean
from pomona.nn.pooling import SeriesPool
from pomona.nn.position_grid import resized_positions
from pomona.nn.positions import Positions
from pomona.nn.recurrent import Recurrent
from pomona.nn.reshape import Patches
from pomona.nn.resize import Resize, Upsample
from pomona.nn.scale import Scale
from pomona.nn.series_convolution import SeriesConvolution
from pomona.nn.shortcut import Shortcut
from pomona.nn.sparse_self_attention import SparseSelfAttention
from pomona.nn.squeeze_excite import SqueezeExcite

Rule = Callable[..., Index]
"""(child, parent, index of what is read, carrier, out) → index of what is given.

`out` is the index that the output must have, where something outside the layer decides that.
"""


def carry(child: nn.Module, parent: nn.Module, index: Index, carrier: Carrier, out: Index = None) -> Index:
    """Writes the parent's weights into `child`; the index of what leaves it, None where nothing is known."""
    if type(child) in KEEPS_CHANNELS and type(parent) in KEEPS_CHANNELS:
        if type(child) is type(parent) and type(child) in RULES:
            RULES[type(child)](child, parent, index, carrier, None)
        return index
    if type(child) is not type(parent):
        return None
    if type(child) in RULES:
        return RULES[type(child)](child, parent, index, carrier, out)
    return _same_shapes(child, parent, carrier)


def _same_shapes(child: nn.Module, parent: nn.Module, carrier: Carrier) -> Index:
    """A user's own layer: what has the same name and shape."""
    old = dict(parent.named_parameters())
    for path, part in child.named_modules():
        for name, parameter in part.named_parameters(recurse=False):
            source = old.get(f"{path}.{name}".lstrip("."))
            if source is not None and source.shape == parameter.shape:
                carrier.write(part, name, source, source)
    return None


def _chain(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    pairs = list(zip(child, parent, strict=False))
    deciding = [place for place, (layer, _) in enumerate(pairs) if not _keeps_channels(layer)]
    for place, (new, old) in enumerate(pairs):
        decides = bool(deciding) and place == deciding[-1]
        index = carry(new, old, index, carrier, out if decides else None)
    return index


def _keeps_channels(layer: nn.Module) -> bool:
    inner = layer.convolution if isinstance(layer, SeriesConvolution) else layer
    return type(layer) in KEEPS_CHANNELS or getattr(inner, "groups", 1) > 1


def _shortcut(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    is_identity = isinstance(child.skip, nn.Identity), isinstance(parent.skip, nn.Identity)
    if is_identity == (True, True):
        carry(child.branch, parent.branch, index, carrier, index)
        return index
    out = carry(child.branch, parent.branch, index, carrier, out)
    if is_identity == (False, False):
        carry(child.skip, parent.skip, index, carrier, out)
    elif is_identity == (False, True) and index is not None and out is not None:
        _identity_as_weights(child.skip, index, out, carrier)
    return out


def _identity_as_weights(skip: nn.Module, index: torch.Tensor, out: torch.Tensor, carrier: Carrier) -> None:
    """A 1-wide convolution that gives every channel the sum of the shares of its copies."""
    leaf: Any = skip.convolution if isinstance(skip, SeriesConvolution) else skip
    weight = (out[:, None] == index[None, :]).to(leaf.weight) * carrier.shares(leaf, index, leaf.weight)
    carrier.write(leaf, "weight", weight.reshape(leaf.weight.shape), weight)
    carrier.write(leaf, "bias", torch.zeros_like(leaf.bias), leaf.bias)


def _gated(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    carry(child.inner, parent.inner, index, carrier, index)
    leaves.normalisation(child.gate, parent.gate, index, carrier)
    return index


def _inner(name: str) -> Rule:
    """The rule of a layer whose weights are all in one part."""

    def rule(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
        return carry(getattr(child, name), getattr(parent, name), index, carrier, out)

    return rule


def _head(name: str) -> Rule:
    """The rule of a last layer: what it gives is not read by anybody."""

    def rule(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
        new, old = getattr(child, name), getattr(parent, name)
        if len(new.weight) == len(old.weight):
            carry(new, old, index, carrier, torch.arange(len(new.weight)))
        return None

    return rule


def _gated_convolution(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    new, old = (getattr(part.convolution, "convolution", part.convolution) for part in (child, parent))
    width = len(old.weight) // 2
    if out is None:
        strengths = old.weight.flatten(1).norm(dim=1).unflatten(0, (2, width)).norm(dim=0)
        out = chosen_output(len(new.weight) // 2, strengths)
    both = carry(child.convolution, parent.convolution, index, carrier, torch.cat((out, width + out)))
    return None if both is None else out


def _squeeze_excite(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    index = known_input(index, child.squeeze.in_features, parent.squeeze.in_features)
    hidden = carry(child.squeeze, parent.squeeze, index, carrier)
    carry(child.excite, parent.excite, hidden, carrier, index)
    return index


def _attentive_pool(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    carry(child.score, parent.score, index, carrier)
    return index


def _attention(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    if child.head_width != parent.head_width:
        return out
    per_head = parent.project_in.weight.unflatten(0, (3, parent.num_heads, -1)).square().sum((0, 2, 3))
    heads = chosen_output(child.num_heads, per_head)
    values = (heads[:, None] * parent.head_width + torch.arange(parent.head_width)).flatten()
    rows = torch.cat([part * parent.num_heads * parent.head_width + values for part in range(3)])
    carry(child.project_in, parent.project_in, index, carrier, rows)
    return carry(child.project_out, parent.project_out, values, carrier, out)


def _etc(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    carry(child.norm, parent.norm, index, carrier)
    new, old = child.attention, parent.attention
    if (new.num_heads, new.head_width) == (old.num_heads, old.head_width):
        carry(new.project_in, old.project_in, index, carrier, torch.arange(len(old.project_in.weight)))
        inner = torch.arange(old.project_out.in_features)
        carry(new.project_out, old.project_out, inner, carrier, index)
        for name in ("relative", "bias"):
            table, source = getattr(new, name), getattr(old, name).weight
            carrier.write(table, "weight", source, source)
    carry(child.dense, parent.dense, index, carrier, index)
    return index


def _recurrent(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    forward = carry(child.forward_layer, parent.forward_layer, index, carrier, out)
    if child.backward_layer is None or parent.backward_layer is None or forward is None:
        return forward if child.backward_layer is parent.backward_layer else None
    backward = carry(child.backward_layer, parent.backward_layer, index, carrier)
    return None if backward is None else torch.cat((forward, parent.forward_layer.hidden_size + backward))


def _positions(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    if child.embedding is not None and parent.embedding is not None:
        columns = known_input(index, child.embedding.embedding_dim, parent.embedding.embedding_dim)
        if columns is not None:
            carry(child.embedding, parent.embedding, None, carrier, columns)
    return index


def _image_tokens(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    """Positions of another grid are those of the parent's, interpolated."""
    out = carry(child.patches, parent.patches, index, carrier, out)
    if out is None:
        return None
    for name in ("class_tokens", "registers"):
        if getattr(child, name) is not None and getattr(parent, name) is not None:
            carry(getattr(child, name), getattr(parent, name), None, carrier, out)
    if child.positions is not None and parent.positions is not None:
        count, old = child.num_class_tokens, parent.positions.embedding.weight
        if count == parent.num_class_tokens:
            resized = resized_positions(old, count, parent.grid, child.grid)
            carrier.write(child.positions.embedding, "weight", resized[:, out], old)
    return out


def _first_tokens(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    if index is None or child.count != parent.count:
        return None
    return (index[:, None] * child.count + torch.arange(child.count)).flatten()


def _cell(child: Any, parent: Any, index: Index, carrier: Carrier, out: Index) -> Index:
    inner = carry(child.current, parent.current, index, carrier)
    if inner is None:
        return None
    carry(child.previous, parent.previous, index, carrier, inner)
    for name in ("near_current", "near_previous", "far_current", "far_previous", "near_again"):
        carry(getattr(child, name), getattr(parent, name), inner, carrier, inner)
    width = parent.near_current[1].out_channels
    return carry(child.join, parent.join, torch.cat([k * width + inner for k in range(5)]), carrier, out)


KEEPS_CHANNELS: tuple[type[nn.Module], ...] = (
    nn.LayerNorm,
    nn.GroupNorm,
    nn.BatchNorm2d,
    Scale,
    nn.Dropout,
    nn.Dropout2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    SeriesPool,
    GlobalPool,
    AttentivePool,
    SqueezeExcite,
    Positions,
    DropPath,
    PatchMean,
    AsGrid,
    Resize,
    Upsample,
    *set(ACTIVATIONS.values()),
)
"""Layers that leave every channel where it is; one may stand for another."""

RULES: dict[type[nn.Module], Rule] = {
    nn.Linear: leaves.linear,
    nn.Conv1d: leaves.linear,
    nn.Conv2d: leaves.linear,
    nn.LayerNorm: leaves.normalisation,
    nn.GroupNorm: leaves.normalisation,
    nn.BatchNorm2d: leaves.normalisation,
    Scale: leaves.normalisation,
    nn.Embedding: leaves.embedding,
    nn.LSTM: leaves.recurrent,
    nn.GRU: leaves.recurrent,
    nn.Sequential: _chain,
    Chain: _chain,
    Shortcut: _shortcut,
    Gated: _gated,
    SeriesConvolution: _inner("convolution"),
    Patches: _inner("convolution"),
    ImageTokens: _image_tokens,
    FirstTokens: _first_tokens,
    Head: _head("linear"),
    StepHead: _head("linear"),
    PixelHead: _head("convolution"),
    GatedConvolution: _gated_convolution,
    SqueezeExcite: _squeeze_excite,
    AttentivePool: _attentive_pool,
    SelfAttention: _attention,
    SparseSelfAttention: _attention,
    EtcLayer: _etc,
    Recurrent: _recurrent,
    Positions: _positions,
    Cell: _cell,
}
