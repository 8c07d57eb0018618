"""The table of blocks: what a network may be made of.

A block is a plain function `block(signal, *, …) -> nn.Module`; its signature is its documentation. Choices are what
a search may pick, small to large.
"""

from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks.convolution import convolution, residual
from pomona.networks.blocks.dense import dense, residual_dense
from pomona.networks.blocks.heads import head
from pomona.networks.blocks.pooling import global_pool, pool
from pomona.networks.blocks.shape import flatten

WIDTHS = (16, 32, 64, 128)

BLOCKS: dict[str, BlockKind] = {
    "dense": BlockKind(dense, ("vector", "series"), {"width": (32, 64, 128, 256)}, ("width",)),
    "residual_dense": BlockKind(residual_dense, ("vector", "series"), {"expand": (1, 2, 4)}, ("expand",)),
    "convolution": BlockKind(
        convolution, ("image", "series"), {"width": WIDTHS, "kernel": (3, 5)}, ("width",)
    ),
    "residual": BlockKind(residual, ("image", "series"), {"width": WIDTHS, "kernel": (3, 5)}, ("width",)),
    "pool": BlockKind(pool, ("image", "series"), {"method": ("mean", "max"), "size": (2, 3)}),
    "global_pool": BlockKind(global_pool, ("image", "series"), {"method": ("mean", "max")}, role="adapter"),
    "flatten": BlockKind(flatten, ("image", "series"), role="adapter"),
    "head": BlockKind(head, ("vector",), role="head"),
}
