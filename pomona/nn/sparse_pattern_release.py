"""The random blocks of BigBird's released code, faults included.

Two plans. For 1,024, 2,048, 3,072 and 4,096 steps blocks are drawn as if there were 4,096, all from the first
1,024 steps, and the last two rows may draw from their own window. Other lengths draw from a first stretch of
2r + 5 blocks, if there are more, and never from what lies behind. Layers are seeded by their number. In
evaluation Hugging Face's port takes block 0 for every random block, which so counts 1 + r times.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import SettingError
from pomona.nn.sparse_pattern import NOTHING, BlockPattern

OLD_LENGTHS = (1024, 2048, 3072, 4096)
OLD_LIMIT = 1024
"""Steps of the old plan from which random blocks come."""


def release_pattern(
    num_blocks: int,
    *,
    block_size: int,
    num_random: int = 3,
    num_heads: int = 1,
    seed: int = 0,
    max_steps: int = 4096,
    old_lengths: Sequence[int] = OLD_LENGTHS,
    is_drawn: bool = True,
) -> BlockPattern:
    """Window of three, first and last block, and the random blocks of the release.

    `seed` is the number of the layer. `is_drawn` false gives block 0 instead, as Hugging Face's port does in
    evaluation; its `old_lengths` lack 2,048. Raises SettingError when there are too few blocks: the release
    attends to all then.
    """
    if num_blocks < 5:
        raise SettingError(f"the released pattern has at least 5 blocks, got {num_blocks}")
    num_steps = num_blocks * block_size
    if not is_drawn:
        drawn = np.zeros((num_heads, num_blocks - 2, num_random), np.int64)
    elif num_steps in old_lengths:
        drawn = _old_plan(max_steps // block_size, block_size, num_random, num_heads, seed)
        drawn = drawn[:, : num_blocks - 2]
    else:
        drawn = _new_plan(num_blocks, num_random, num_heads, seed)
    keys = np.full((num_heads, num_blocks, 5 + num_random), NOTHING)
    for block in range(1, num_blocks - 1):
        fixed = sorted({0, block - 1, block, block + 1, num_blocks - 1})
        keys[:, block, : len(fixed)] = fixed
        keys[:, block, len(fixed) : len(fixed) + num_random] = drawn[:, block - 1]
    return BlockPattern(block_size, keys, (0, num_blocks - 1))


def _old_plan(
    num_blocks: int, block_size: int, num_random: int, num_heads: int, seed: int
) -> Int[np.ndarray, "head row slot"]:
    random = np.random.RandomState(seed)
    middle = np.arange(1, num_blocks - 1)
    last = OLD_LIMIT // block_size - 1 if 2 * block_size < OLD_LIMIT else num_blocks - 1
    drawn = np.zeros((num_heads, num_blocks - 2, num_random), np.int64)
    for head in range(num_heads):
        for block in range(1, num_blocks - 1):
            choice = random.permutation(_old_choice(middle, block, num_blocks, last))
            drawn[head, block - 1] = choice[:num_random]
    return drawn


def _old_choice(middle: np.ndarray, block: int, num_blocks: int, last: int) -> np.ndarray:
    if block <= 2:
        return middle[block + 1 : last]
    if block >= num_blocks - 3:
        return middle[:last]
    if block - 2 > last:
        return middle[:last]
    if block + 1 == last:
        return middle[: block - 2]
    return np.concatenate((middle[: block - 2], middle[block + 1 : last]))


def _new_plan(
    num_blocks: int, num_random: int, num_heads: int, seed: int
) -> Int[np.ndarray, "head row slot"]:
    random = np.random.RandomState(seed)
    ends, shares = _stretches(num_blocks, num_random)
    drawn = np.zeros((num_heads, num_blocks, num_random), np.int64)

    def draw(rows: range, stretch: int) -> None:
        start = ends[stretch - 1] if stretch else 0
        slots = slice(sum(shares[:stretch]), sum(shares[: stretch + 1]))
        for row in rows:
            for head in range(num_heads):
                drawn[head, row, slots] = _single_row(random, row, start, ends[stretch], shares[stretch])

    for stretch, end in enumerate(ends):
        if stretch and shares[stretch]:
            draw(range(1, ends[stretch - 1]), stretch)
        for earlier in range(stretch):
            if shares[earlier]:
                draw(range(ends[stretch - 1], end), earlier)
        if shares[stretch]:
            draw(range(ends[stretch - 1] if stretch else 1, end), stretch)
    return drawn[:, 1:-1]


def _stretches(num_blocks: int, num_random: int) -> tuple[list[int], list[int]]:
    """Ends of the stretches of blocks, and how many random blocks come from each."""
    if 2 * num_random + 5 < num_blocks:
        return [2 * num_random + 5, num_blocks], [num_random, 0]
    if num_random + 5 < num_blocks:
        return [num_random + 5, num_blocks], [num_random // 2, num_random - num_random // 2]
    return [num_blocks], [num_random]


def _single_row(
    random: np.random.RandomState, block: int, start: int, end: int, count: int
) -> Int[np.ndarray, " slot"]:
    barred = {block - 1, block, block + 1, 0, end - 1}
    if block == 1:
        barred.add(end - 2)
    if block == end - 2:
        barred.add(1)
    allowed = [place for place in random.permutation(np.arange(start, end)) if place not in barred]
    if len(allowed) < count:
        raise SettingError(f"too few blocks for {count} random ones: the release attends to all then")
    return np.array(allowed[:count], np.int64)
