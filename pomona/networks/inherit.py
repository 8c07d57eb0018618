"""Weights handed down from one network to another, by block id."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.inherit_layers import carry
from pomona.networks.inherit_leaves import Carrier, Index
from pomona.networks.nested import Nested
from pomona.networks.network import Network
from pomona.networks.shapes import signals
from pomona.networks.signal import Signal
from pomona.networks.spec import Spec
from pomona.nn.join import Add, Concatenate
from pomona.nn.reshape import FlattenSeries, Rows


@dataclass(frozen=True)
class InheritReport:
    """How many of the child's parameters, counted as tensors, came from the parent and how."""

    copied: int
    widened: int
    narrowed: int
    fresh: int


def inherit(
    child: Network,
    child_spec: Spec,
    parent_state: Mapping[str, Tensor],
    parent_spec: Spec,
    *,
    seed: int,
    blocks: Mapping[str, BlockKind] = BLOCKS,
) -> InheritReport:
    """Writes the parent's weights into `child` wherever a block has the same id and kind; the others stay.

    The child computes what the parent computed, to rounding, when it differs by blocks inserted with
    {"residual": true} and by arguments of a block's `widens`, or widths, that are a multiple of the parent's
    (normalised by layer, or by groups of widths divisible by 16), or by larger kernels. `seed` decides how
    copies of a channel share what it passes on.
    """
    with torch.device("meta"):
        parent = Network(parent_spec, blocks)
    parent.load_state_dict(dict(parent_state), assign=True)
    carrier = Carrier(child, seed)
    _carry_network(child, parent, carrier, blocks)
    parameters = dict(child.named_parameters())
    changes = [new - old for new, old in carrier.written.values()]
    return InheritReport(
        copied=sum(change == 0 for change in changes),
        widened=sum(change > 0 for change in changes),
        narrowed=sum(change < 0 for change in changes),
        fresh=len(parameters) - len(changes),
    )


def _carry_network(
    child: Network,
    parent: Network,
    carrier: Carrier,
    blocks: Mapping[str, BlockKind],
    given: Mapping[str, Index] | None = None,
) -> dict[str, Index]:
    """Carries every block that both have; name → index of what is there. `given` are those of the inputs."""
    new, old = signals(child.spec, blocks=blocks), signals(parent.spec, blocks=blocks)
    ancestors = {block.id: block for block in parent.spec.blocks}
    indices = dict(given or {})
    for name in child.spec.inputs:
        indices.setdefault(name, torch.arange(new[name].width) if new[name] == old.get(name) else None)
    for block in child.spec.blocks:
        ancestor = ancestors.get(block.id)
        read = [indices[source] for source in block.sources]
        if ancestor is None:
            # a block in between: channels pass through it, or it makes other ones
            keeps = len(read) == 1 and new[block.id].width == new[block.sources[0]].width
            indices[block.id] = read[0] if keeps else None
        elif ancestor.block != block.block or len(ancestor.sources) != len(block.sources):
            indices[block.id] = None
        else:
            modules = child.blocks[block.id], parent.blocks[block.id]
            pairs = list(
                zip([new[s] for s in block.sources], [old[s] for s in ancestor.sources], strict=True)
            )
            indices[block.id] = _carry_block(*modules, read, pairs, carrier, blocks)
    return indices


def _carry_block(
    child: nn.Module,
    parent: nn.Module,
    read: list[Index],
    sources: list[tuple[Signal, Signal]],
    carrier: Carrier,
    blocks: Mapping[str, BlockKind],
) -> Index:
    new, old = sources[0]
    if isinstance(child, Add):
        return read[0]
    if isinstance(child, Concatenate):
        return _side_by_side(read, [signal for _, signal in sources])
    if isinstance(child, nn.Flatten | FlattenSeries | Rows):
        return _flattened(child, read[0], new, old)
    if isinstance(child, Nested) and isinstance(parent, Nested):
        (entrance,), (last,) = child.network.spec.inputs, child.network.spec.outputs.values()
        return _carry_network(child.network, parent.network, carrier, blocks, {entrance: read[0]})[last]
    return carry(child, parent, read[0], carrier)


def _side_by_side(read: list[Index], old: list[Signal]) -> Index:
    parts, start = [], 0
    for index, signal in zip(read, old, strict=True):
        if index is None:
            return None
        parts.append(start + index)
        start += signal.width
    return torch.cat(parts)


def _flattened(layer: nn.Module, index: Index, new: Signal, old: Signal) -> Index:
    """Channels become stretches of values, one a pixel or step, if there are as many as there were."""
    if index is None or new.kind != old.kind:
        return None
    if isinstance(layer, FlattenSeries):
        if new.shape[0] != old.shape[0]:
            return None
        return (torch.arange(old.shape[0])[:, None] * old.width + index).flatten()
    if new.shape[1:] != old.shape[1:]:
        return None
    stretch = new.shape[2] if isinstance(layer, Rows) else new.shape[1] * new.shape[2]
    return (index[:, None] * stretch + torch.arange(stretch)).flatten()
