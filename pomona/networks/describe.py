"""A network in words, and as nodes and edges for a drawing."""

from collections.abc import Mapping
from typing import Any

from pomona.networks.arguments import parameters_of
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.construct import GATE
from pomona.networks.hashing import living
from pomona.networks.infer import infer_network
from pomona.networks.spec import Block, Spec

MAIN = ("width", "size", "rate", "bands", "name")
"""Arguments that are told by their value alone, the first one that a block has."""


def describe(spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS) -> str:
    """The blocks from input to head, that left out: "convolution 32 → residual 64 (kernel 5) → dense 128".

    Where paths part or meet, each path is told by itself, after the ids of what it reads.
    """
    chains = _chains(spec, blocks)
    if len(chains) == 1:
        return " → ".join(_label(block, blocks) for block in chains[0]) or "nothing but a head"
    texts = []
    for chain in chains:
        path = " → ".join(_label(block, blocks) for block in chain)
        texts.append(f"{' + '.join(chain[0].sources)} → {path} ({chain[-1].id})")
    return "; ".join(texts)


def drawing(
    spec: Spec, *, blocks: Mapping[str, BlockKind] = BLOCKS
) -> tuple[dict[str, tuple[str, str]], list[tuple[str, str]]]:
    """Nodes (id → label, and signal, weights and operations) and edges, as a report's `graph` takes them."""
    known = infer_network(spec, blocks)
    nodes = {name: (name, str(known[name].signal)) for name in spec.inputs}
    for block in spec.blocks:
        found = known[block.id]
        detail = f"{found.signal}, {found.parameters:,} weights, {found.flops / 1e6:.3g} MFLOP"
        nodes[block.id] = (_label(block, blocks), detail)
    edges = {(source, block.id): None for block in spec.blocks for source in block.sources}
    for head, block_id in spec.outputs.items():
        nodes[f"head {head}"] = (head, "output")
        edges[block_id, f"head {head}"] = None
    return nodes, list(edges)


def _chains(spec: Spec, blocks: Mapping[str, BlockKind]) -> list[list[Block]]:
    """The living blocks but heads, in stretches that nothing joins or leaves."""
    shown = [b for b in living(spec) if b.block not in blocks or blocks[b.block].role != "head"]
    readers: dict[str, int] = {}
    for block in shown:
        for source in block.sources:
            readers[source] = readers.get(source, 0) + 1
    chains: list[list[Block]] = []
    for block in shown:
        before = next((chain for chain in chains if block.sources == (chain[-1].id,)), None)
        if before is not None and readers[before[-1].id] == 1:
            before.append(block)
        else:
            chains.append([block])
    return chains or [[]]


def _label(block: Block, blocks: Mapping[str, BlockKind]) -> str:
    defaults: dict[str, Any] = {GATE: False}
    if block.block in blocks:
        defaults |= {name: default for name, (_, default) in parameters_of(blocks[block.block].build).items()}
    values = {**{name: default for name, default in defaults.items() if name in MAIN}, **block.args}
    main = next((name for name in MAIN if isinstance(values.get(name), int | float | str)), None)
    others = [_argument(n, v) for n, v in block.args.items() if n != main and v != defaults.get(n)]
    text = block.block if main is None else f"{block.block} {values[main]}"
    return f"{text} ({', '.join(others)})" if others else text


def _argument(name: str, value: Any) -> str:
    if name == GATE:
        return "gated"
    if isinstance(value, bool):
        return name if value else f"not {name}"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple | list):
        return f"{name} {'×'.join(map(str, value))}"
    return "a network" if name == "spec" else f"{name} {value}"
