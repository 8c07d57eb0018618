"""Who reads whom in a network with sparse attention: the graph of its blocks, as a picture and numbers."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8
from torch import nn

from pomona.fit.sections.pictures import pictures
from pomona.foundation.report import table, text, write_section
from pomona.nn.sparse_attention import SparseAttention
from pomona.nn.sparse_pattern import BlockPattern, diameter

ORDER = 46

UNREAD, WINDOW, RANDOM, GLOBAL = range(4)
COLOURS = np.array([(244, 244, 244), (53, 112, 163), (214, 140, 42), (60, 145, 96)], np.uint8)

PICTURE_WIDTH = 360
MOST_SHOWN = 128
"""Blocks of a longer sequence that are drawn; the numbers are of all."""

ABOUT = (
    "Each row is a block of steps that reads, each column a block that is read: green are global blocks, "
    "blue the neighbourhood, orange blocks drawn at random. The diameter is the number of layers that news "
    "needs from any block to any other."
)


def write_attention_graph_section(folder: Path, network: nn.Module) -> None:
    """Writes the section into folder/sections; none for a network without sparse attention."""
    patterns = patterns_of(network)
    if patterns:
        items = attention_graph_section(patterns)
        write_section(folder, ORDER, "attention-graph", "Who reads whom", items)


def patterns_of(network: nn.Module) -> dict[str, BlockPattern]:
    """Name of a module → the pattern of its sparse attention, from the first layer to the last."""
    return {
        name: module.pattern
        for name, module in network.named_modules()
        if isinstance(module, SparseAttention)
    }


def attention_graph_section(patterns: dict[str, BlockPattern]) -> list[dict[str, Any]]:
    """The items of the section: a picture of the first head of every layer, and each layer's numbers."""
    columns = ["layer", "steps", "blocks", "steps a block", ("read of all pairs", "percent"), "diameter"]
    rows = [
        [
            index + 1,
            pattern.num_steps,
            pattern.num_blocks,
            pattern.block_size,
            float((pattern.counts() > 0).mean()),
            diameter(pattern),
        ]
        for index, pattern in enumerate(patterns.values())
    ]
    shown = [
        (drawn(kinds_of_reads(pattern)[:MOST_SHOWN, :MOST_SHOWN]), f"layer {index + 1}", name)
        for index, (name, pattern) in enumerate(patterns.items())
    ]
    return [text(ABOUT), pictures(shown), table(columns, rows)]


def kinds_of_reads(pattern: BlockPattern, head: int = 0) -> Int[np.ndarray, "query key"]:
    """Why every block of queries reads every block of keys: GLOBAL, WINDOW, RANDOM, or UNREAD.

    The window is what is read without a gap around the block itself.
    """
    is_read = pattern.counts()[min(head, pattern.num_heads - 1)] > 0
    kinds = np.where(is_read, RANDOM, UNREAD)
    for block in range(pattern.num_blocks):
        gaps = np.flatnonzero(~is_read[block])
        first = gaps[gaps < block].max(initial=-1) + 1
        last = gaps[gaps > block].min(initial=pattern.num_blocks)
        kinds[block, first:last] = WINDOW
    full = list(pattern.full)
    kinds[full], kinds[:, full] = GLOBAL, GLOBAL
    return np.where(is_read, kinds, UNREAD)


def drawn(kinds: Int[np.ndarray, "query key"]) -> UInt8[np.ndarray, "channel height width"]:
    """The picture, with a line between blocks where there is room for one."""
    size = max(PICTURE_WIDTH // len(kinds), 1)
    picture = COLOURS[kinds].repeat(size, 0).repeat(size, 1)
    if size > 4:
        picture[::size], picture[:, ::size] = 255, 255
    return picture.transpose(2, 0, 1)
