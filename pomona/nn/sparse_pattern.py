"""Which blocks of a sequence read which: the one definition of a sparse attention.

From it come the fast path, the dense mask, the block mask of FlexAttention, the picture of the graph and its
diameter (Zaheer et al. 2020, "Big Bird: Transformers for Longer Sequences", section 2).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from pomona.foundation.errors import SettingError
from pomona.foundation.randomness import stream

NOTHING = -1
"""Stands in a row of keys where there is no further block."""


@dataclass(frozen=True, eq=False)
class BlockPattern:
    """The blocks of keys that every block of queries reads, for each head.

    `keys` (head, block, slot) holds numbers of blocks, NOTHING after the last one; a number that stands twice
    in a row is counted twice by the softmax. Blocks in `full` read every block, whatever their row says. With
    `causal` no step reads a later one: rows name no later block, and within its own block a step reads what
    came before.
    """

    block_size: int
    keys: Int[np.ndarray, "head block slot"]
    full: tuple[int, ...] = ()
    causal: bool = False

    @property
    def num_heads(self) -> int:
        """Heads with a row of their own; 1 when all heads share one."""
        return self.keys.shape[0]

    @property
    def num_blocks(self) -> int:
        """Blocks of the sequence."""
        return self.keys.shape[1]

    @property
    def num_steps(self) -> int:
        """The longest sequence."""
        return self.num_blocks * self.block_size

    def counts(self) -> Int[np.ndarray, "head query key"]:
        """How often every block of queries reads every block of keys."""
        shape = (self.num_heads, self.num_blocks, self.num_blocks + 1)
        counts = np.zeros(shape, np.int64)
        # NOTHING is the last column, which falls away
        head, block = np.ogrid[: shape[0], : shape[1]]
        np.add.at(counts, (head[..., None], block[..., None], self.keys), 1)
        counts = counts[..., :-1]
        counts[:, list(self.full)] = 1
        return np.tril(counts) if self.causal else counts

    def shortened(self, num_blocks: int) -> "BlockPattern":
        """The pattern of the first blocks alone: what is read there and lies behind the end falls away."""
        keys = self.keys[:, :num_blocks]
        full = tuple(block for block in self.full if block < num_blocks)
        return BlockPattern(
            self.block_size, _packed(np.where(keys < num_blocks, keys, NOTHING)), full, self.causal
        )


def bigbird_pattern(
    num_blocks: int,
    *,
    block_size: int,
    num_global: int = 2,
    num_window: int = 3,
    num_random: int = 3,
    num_heads: int = 1,
    causal: bool = False,
    seed: int = 0,
) -> BlockPattern:
    """Global, neighbouring and random blocks, each read once.

    Global blocks are the first, the last, the second, the last but one and so on; all read them and they read
    all. A causal window has as many blocks, all before and at its own. Random blocks are drawn without
    repetition for every head and block, evenly from the whole sequence less what is read already; a block
    draws the same whatever the number of heads.
    """
    check_counts(num_blocks, block_size, num_global, num_window, num_random)
    ends = _ends(num_blocks, min(num_global, num_blocks))
    near = [_near(block, num_blocks, ends, num_window, causal) for block in range(num_blocks)]
    rows = []
    for head in range(num_heads if num_random else 1):
        streams = [stream(seed, "blocks", (head, block)) for block in range(num_blocks)]
        choices = [block + 1 if causal else num_blocks for block in range(num_blocks)]
        drawn = list(map(_random, near, choices, [num_random] * num_blocks, streams))
        rows.append([[] if block in ends else near[block] + drawn[block] for block in range(num_blocks)])
    most = max(len(row) for head in rows for row in head)
    keys = np.array([[row + [NOTHING] * (most - len(row)) for row in head] for head in rows], np.int64)
    return BlockPattern(block_size, keys, tuple(sorted(ends)), causal)


def full_pattern(num_blocks: int, *, block_size: int, causal: bool = False) -> BlockPattern:
    """Every block reads every block."""
    keys = np.full((1, num_blocks, 1), NOTHING)
    return BlockPattern(block_size, keys, tuple(range(num_blocks)), causal)


def check_counts(num_blocks: int, block_size: int, num_global: int, num_window: int, num_random: int) -> None:
    """Raises SettingError unless there can be such a pattern."""
    if num_blocks < 1 or block_size < 1:
        raise SettingError(
            f"a pattern has at least one block of one step, got {num_blocks} blocks of {block_size}"
        )
    if num_window < 1 or num_window % 2 == 0:
        raise SettingError(f"a window has an odd number of blocks, its own in the middle, got {num_window}")
    if min(num_global, num_random) < 0:
        raise SettingError(f"numbers of blocks are at least 0, got {num_global} global, {num_random} random")


def step_mask(pattern: BlockPattern) -> Bool[np.ndarray, "head query key"]:
    """Whether every step reads every step: as large as full attention, for tests and pictures."""
    steps = np.repeat(np.repeat(pattern.counts() > 0, pattern.block_size, 1), pattern.block_size, 2)
    return np.tril(steps) if pattern.causal else steps


def diameter(pattern: BlockPattern, head: int = 0) -> float:
    """The most layers that news needs from one block to another; infinite if it never arrives.

    In a causal pattern only ways to later blocks count.
    """
    from scipy.sparse.csgraph import shortest_path

    # an edge from what is read to who reads it
    distances = shortest_path(np.ascontiguousarray(pattern.counts()[head].T, float), unweighted=True)
    wanted = np.triu(distances) if pattern.causal else distances
    return float(np.nanmax(wanted))


def _ends(num_blocks: int, num_global: int) -> list[int]:
    ends = [place // 2 if place % 2 == 0 else num_blocks - 1 - place // 2 for place in range(num_global)]
    return list(dict.fromkeys(ends))


def _near(block: int, num_blocks: int, ends: list[int], num_window: int, causal: bool) -> list[int]:
    left = num_window - 1 if causal else num_window // 2
    last = block if causal else min(block + num_window // 2, num_blocks - 1)
    window = range(max(block - left, 0), last + 1)
    return sorted({*window, *(end for end in ends if end <= block or not causal)})


def _random(near: list[int], num_blocks: int, num_random: int, generator: np.random.Generator) -> list[int]:
    others = np.setdiff1d(np.arange(num_blocks), near)
    return sorted(generator.choice(others, min(num_random, len(others)), replace=False).tolist())


def _packed(keys: Int[np.ndarray, "head block slot"]) -> Int[np.ndarray, "head block slot"]:
    """With the blocks of every row first, in order, and no slot that nobody uses."""
    order = np.argsort(keys == NOTHING, axis=2, kind="stable")
    keys = np.take_along_axis(keys, order, 2)
    return keys[:, :, : max(int((keys != NOTHING).sum(2).max(initial=0)), 1)]
