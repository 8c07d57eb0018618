"""The canonical hash of a network: equal for descriptions of one family of functions, whatever the names."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.construct import arguments
from pomona.networks.infer import block_named, naming
from pomona.networks.signal import signal_of
from pomona.networks.spec import Block, Spec

COMMUTATIVE = ("add",)
"""Joins whose sources may change places."""


def spec_hash(spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> str:
    """64 hexadecimal digits that do not depend on ids, order, unused blocks, or defaults left out.

    They do depend on which blocks are shared: f(x) + f(x) of one block is another network than that of two
    equal ones. A user's own block counts with the hash of its source. Raises SpecError for an unknown block
    or argument.
    """
    return _digest(canonical(spec, blocks))


def canonical(spec: Spec, blocks: Mapping[str, BlockKind]) -> list:
    """The network as plain data in which blocks are numbers, given in an order that only its form decides.

    Depth first from the heads by name. Sources of a sum come in the order of their colours (below); sources
    of one colour, which are interchangeable in all but contrived networks, as they are listed.
    """
    by_id = {block.id: block for block in spec.blocks}
    labels = {name: _input_label(spec, name) for name in spec.inputs}
    labels |= {block.id: _block_label(block, blocks) for block in living(spec)}
    colors = _colors(spec, labels)
    numbers: dict[str, int] = {}
    rows: list[list] = []
    waiting = [spec.outputs[head] for head in sorted(spec.outputs, reverse=True)]
    while waiting:
        name = waiting[-1]
        sources = _ordered(by_id[name], colors) if name in by_id else []
        unread = [source for source in sources if source not in numbers]
        if unread and name not in numbers:
            waiting += reversed(unread)
            continue
        waiting.pop()
        if name not in numbers:
            numbers[name] = len(rows)
            rows.append([labels[name], [numbers[source] for source in sources]])
    return [rows, [[head, numbers[spec.outputs[head]]] for head in sorted(spec.outputs)]]


def living(spec: Spec) -> tuple[Block, ...]:
    """The blocks that some head depends on, in their order."""
    needed = set(spec.outputs.values())
    for block in reversed(spec.blocks):
        if block.id in needed:
            needed.update(block.sources)
    return tuple(block for block in spec.blocks if block.id in needed)


def _block_label(block: Block, blocks: Mapping[str, BlockKind]) -> list:
    with naming(block):
        kind = block_named(block, blocks)
        is_gated, values = arguments(kind, block.args)
    inner = values.get("spec")
    if inner is not None:
        spec = Spec.from_json(inner) if isinstance(inner, dict) else inner
        values["spec"] = canonical(spec, blocks)
    return [block.block, kind.source, is_gated, values]


def _input_label(spec: Spec, name: str) -> list:
    signal = signal_of(spec.inputs[name])
    shape = list(signal.shape)
    return [name, spec.inputs[name].kind, shape, signal.num_tokens, signal.rate, signal.variable]


def _colors(spec: Spec, labels: Mapping[str, list]) -> dict[str, str]:
    """Name → a digest of all that a block reads and that reads it (Weisfeiler and Leman's refinement)."""
    colors = {name: _digest(label) for name, label in labels.items()}
    for _ in range(len(colors)):
        readers: dict[str, list] = {name: [] for name in colors}
        for head, name in spec.outputs.items():
            readers[name].append(["head", head, 0])
        for block in living(spec):
            for place, source in enumerate(block.sources):
                readers[source].append(
                    ["block", colors[block.id], 0 if block.block in COMMUTATIVE else place]
                )
        refined = {name: _digest([colors[name], sorted(readers[name])]) for name in colors}
        for block in living(spec):
            sources = [colors[source] for source in _ordered(block, colors)]
            refined[block.id] = _digest([refined[block.id], sources])
        if len(set(refined.values())) == len(set(colors.values())):
            return refined
        colors = refined
    return colors


def _ordered(block: Block, colors: Mapping[str, str]) -> list[str]:
    sources = list(block.sources)
    return sorted(sources, key=colors.__getitem__) if block.block in COMMUTATIVE else sources


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
