"""How a 1x1 convolution is computed: the numbers that a tuner chooses, and a guess at them without one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pomona.compile.sparse.columns import groups_of
from pomona.compile.sparse.layout import Tile, num_vectors, tiles

CACHE_BYTES = 48 * 1024
"""What a chunk of the block fills: about the first cache. Measured on one of 48 KiB."""

MOST_ACCUMULATORS = {16: 24, 8: 12, 4: 24}
"""By lanes: AVX-512 and NEON have 32 vector registers, AVX2 has 16."""

RATES: dict[int, float] = {1: 0.55, 2: 0.75, 3: 0.82, 4: 0.85, 6: 0.93}
"""By rows of a group: the share of the processor's multiplications that its kernel reaches, with AVX-512."""

ROWS = tuple(RATES)
DENSE_ROWS = (6, 4)


@dataclass(frozen=True)
class Choice:
    """`rows` output channels share their columns; a dense kernel has all columns.

    `tile` is the block of pixels, `chunk` how many input channels are walked at a time.
    """

    kernel: str
    rows: int
    tile: Tile
    chunk: int


def guess(
    weight: Float[np.ndarray, "out in"], height: int, width: int, lanes: int, tile: Tile | None = None
) -> Choice:
    """The choice with the least work by a model of the kernels, for a given tile or the best one."""
    chosen = tile or default_tile(height, width, lanes)
    vectors = num_vectors(chosen, lanes)
    candidates = kernel_candidates(weight, vectors, lanes)
    kernel, rows = min(candidates, key=lambda candidate: modelled_work(weight, *candidate))
    return Choice(kernel, rows, chosen, default_chunk(weight.shape[1], vectors * lanes))


def kernel_candidates(
    weight: Float[np.ndarray, "out in"], vectors: int, lanes: int
) -> Sequence[tuple[str, int]]:
    """(kernel, rows) whose accumulators fit the registers; there is always one."""
    most = MOST_ACCUMULATORS[lanes] // vectors
    sparse = [("sparse", rows) for rows in ROWS if rows <= min(max(most, 1), len(weight))]
    dense = [("dense", rows) for rows in DENSE_ROWS if rows <= most] or [("dense", max(most, 1))]
    return [*sparse, *dense]


def modelled_work(weight: Float[np.ndarray, "out in"], kernel: str, rows: int) -> float:
    """Multiplications of one pixel, each weighed by how slow the kernel is."""
    if kernel == "dense":
        return weight.size / rate(rows)
    groups = weight[groups_of(len(weight), rows)]
    return float((groups != 0).any(1).sum()) * rows / rate(rows)


def rate(rows: int) -> float:
    """The share of peak of a kernel of `rows`."""
    return RATES.get(rows, RATES[4])


def default_chunk(num_inputs: int, pitch: int) -> int:
    """Input channels whose block fits the first cache, in chunks of even size."""
    most = max(16, CACHE_BYTES // (4 * pitch))
    return -(-num_inputs // -(-num_inputs // most))


def default_tile(height: int, width: int, lanes: int) -> Tile:
    """The tile that wastes fewest lanes, counting a block's own cost as half a vector."""

    def cost(tile: Tile) -> float:
        whole, rest = divmod(height, tile.rows)
        across = -(-width // tile.columns)
        blocks = [tile] * whole + [Tile(rest, tile.columns)] * (rest > 0)
        return across * sum(num_vectors(block, lanes) + 0.5 for block in blocks)

    return min(tiles(height, width, lanes, most_vectors(lanes)), key=cost)


def most_vectors(lanes: int) -> int:
    """The most vectors of a tile."""
    return 6 if lanes == 8 else 8
