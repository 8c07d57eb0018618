"""What the network is made of."""

import json
from collections.abc import Mapping
from typing import Any

from pomona.foundation.report import code, graph, table
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.shapes import signals
from pomona.networks.spec import Spec


def network_section(spec: Spec, blocks: Mapping[str, BlockKind] = BLOCKS) -> list[dict[str, Any]]:
    """The items of the section: the graph of blocks, a table of them, and the network as JSON."""
    known = signals(spec, blocks=blocks)
    shapes = {name: f"{signal.kind} {' × '.join(map(str, signal.shape))}" for name, signal in known.items()}
    labels = {name: (name, shapes[name]) for name in spec.inputs}
    labels |= {block.id: (block.block, f"{block.id}: {shapes[block.id]}") for block in spec.blocks}
    edges = [(source, block.id) for block in spec.blocks for source in block.sources]
    rows = [
        [
            b.id,
            b.block,
            ", ".join(f"{k} {_short(v)}" for k, v in b.args.items()),
            ", ".join(b.sources),
            shapes[b.id],
        ]
        for b in spec.blocks
    ]
    return [
        graph(labels, edges),
        table(["id", "block", "arguments", "reads", "gives"], rows),
        code(_text(spec)),
    ]


def _text(spec: Spec) -> str:
    """The network as JSON, a block a line."""
    plain = spec.to_json()
    lines = ",\n  ".join(json.dumps(block) for block in plain["blocks"])
    ends = [json.dumps(plain[key]) for key in ("inputs", "outputs")]
    return f'{{"inputs": {ends[0]},\n "blocks": [\n  {lines}],\n "outputs": {ends[1]}}}'


def _short(value: Any) -> str:
    return "…" if isinstance(value, Spec | dict) else str(value)
