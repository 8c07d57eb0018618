"""Where a tensor's pixels lie: plain, one channel after another, or packed in blocks of pixels.

A block has whole image rows, or a part of one row where rows are long; inside a block every channel's pixels
are one run of whole vectors. Sparse 1x1 convolutions read packed tensors, everything else reads plain ones.
"""

from dataclasses import dataclass

FLOAT_BYTES = 4
CACHE_LINE = 64


@dataclass(frozen=True)
class Tile:
    """The pixels of a block: `rows` whole rows, or, with one row, `columns` of it."""

    rows: int
    columns: int


@dataclass(frozen=True)
class Layout:
    """A tensor's place: shape, tile, and the numbers from one channel of a block to the next.

    A plain tensor is one block, whose channels follow each other; in a spaced one, with gaps.
    """

    channels: int
    height: int
    width: int
    tile: Tile
    pitch: int

    @property
    def blocks_across(self) -> int:
        """Blocks beside each other."""
        return -(-self.width // self.tile.columns)

    @property
    def num_blocks(self) -> int:
        """Blocks in all, numbered row by row."""
        return self.blocks_across * -(-self.height // self.tile.rows)

    @property
    def block_bytes(self) -> int:
        """From a block to the next: an odd number of cache lines, which so spread over the cache's sets."""
        size = self.channels * self.pitch * FLOAT_BYTES
        return size if self.num_blocks == 1 else (-(-size // CACHE_LINE) | 1) * CACHE_LINE

    @property
    def size_bytes(self) -> int:
        """All blocks."""
        return self.num_blocks * self.block_bytes

    def first_pixel(self, block: int) -> tuple[int, int]:
        """Row and column at which a block begins."""
        down, across = divmod(block, self.blocks_across)
        return down * self.tile.rows, across * self.tile.columns

    def num_pixels(self, block: int) -> int:
        """Pixels of the image in a block; the last ones may have fewer than the tile."""
        row, column = self.first_pixel(block)
        return min(self.tile.rows, self.height - row) * min(self.tile.columns, self.width - column)

    def offset(self, row: int, column: int) -> int:
        """Bytes from the tensor's start to a pixel of channel 0."""
        down, inside_down = divmod(row, self.tile.rows)
        across, inside_across = divmod(column, self.tile.columns)
        block = down * self.blocks_across + across
        # a block narrower than its tile is the last of a row; its rows are one, so no stride is asked for
        inside = inside_down * min(self.tile.columns, self.width) + inside_across
        return block * self.block_bytes + inside * FLOAT_BYTES

    def row_entries(self, address: int, first_channel: int = 0) -> list[int]:
        """The seven entries by which kernels find rows (`kernels.rows.RowLayout`)."""
        columns = min(self.tile.columns, self.width)
        return [
            address + first_channel * self.pitch * FLOAT_BYTES,
            self.pitch * FLOAT_BYTES,
            self.tile.rows,
            self.tile.columns,
            columns * FLOAT_BYTES,
            self.blocks_across * self.block_bytes,
            self.block_bytes,
        ]


def plain(shape: tuple[int, ...]) -> Layout:
    """The layout of a tensor as others know it; a vector is an image of one pixel."""
    channels, height, width = as_image(shape)
    return Layout(channels, height, width, Tile(height, width), height * width)


def spaced(shape: tuple[int, ...]) -> Layout:
    """A plain layout but for gaps between channels, so that these spread over the cache's sets."""
    channels, height, width = as_image(shape)
    lines = -(-height * width * FLOAT_BYTES // CACHE_LINE) | 1
    return Layout(channels, height, width, Tile(height, width), lines * CACHE_LINE // FLOAT_BYTES)


def packed(shape: tuple[int, ...], tile: Tile, lanes: int) -> Layout:
    """The layout in blocks of `tile`, padded to vectors of `lanes`."""
    channels, height, width = as_image(shape)
    return Layout(channels, height, width, tile, -(-tile.rows * tile.columns // lanes) * lanes)


def as_image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(channel, height, width) of an image or a vector."""
    channels, height, width = (*shape, 1, 1)[:3]
    return channels, height, width


def tiles(height: int, width: int, lanes: int, most_vectors: int) -> list[Tile]:
    """The tiles worth trying for an image, none wider than `most_vectors` vectors."""
    most = most_vectors * lanes
    if width > most:
        counts = {-(-width // (vectors * lanes)): vectors for vectors in range(most_vectors, 1, -1)}
        return [Tile(1, vectors * lanes) for vectors in sorted(set(counts.values()))]
    found = {}
    for rows in range(1, min(height, most // width) + 1):
        # of the tiles that need as many vectors the tallest does most
        found[-(-rows * width // lanes)] = Tile(rows, width)
    return list(found.values())


def num_vectors(tile: Tile, lanes: int) -> int:
    """Vectors that a tile's pixels fill, the last one perhaps in part."""
    return -(-tile.rows * tile.columns // lanes)
