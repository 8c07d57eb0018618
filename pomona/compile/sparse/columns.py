"""The weights of a 1x1 convolution as kernels read them: for every group of output channels its columns.

Groups are sorted by their number of columns within a chunk of input channels, so that the processor guesses
the end of the inner loop.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt16

MOST_EIGHTHS = 2**16 - 1


@dataclass(frozen=True)
class Columns:
    """The tables of `kernels.pointwise`: see its `Argument`."""

    groups: Int[np.ndarray, " word"]
    columns: UInt16[np.ndarray, " column"]
    weights: Float[np.ndarray, " number"]
    chunks: Int[np.ndarray, "chunk 2"]

    @property
    def num_columns(self) -> int:
        """Columns of all groups: the kernel's inner steps for one block."""
        return len(self.columns)


def encode(
    weight: Float[np.ndarray, "out in"],
    channels: Int[np.ndarray, "group row"],
    *,
    chunk: int,
    pitch: int,
    keeps_zeros: bool,
) -> Columns:
    """The tables for groups of output `channels`, over chunks of `chunk` input channels.

    `pitch` is how many numbers of the packed block one input channel has. A column is kept where any row of
    its group has a weight that is not zero; with `keeps_zeros`, every one is. A channel may occur twice in a
    group.
    """
    num_inputs = weight.shape[1]
    chunk = min(chunk, largest_chunk(pitch))
    rows = weight[channels]
    kept = np.ones((len(channels), num_inputs), bool) if keeps_zeros else (rows != 0).any(1)
    group, column = np.nonzero(kept)
    num_chunks = max(1, -(-num_inputs // chunk))
    of_chunk = column // chunk
    counts = np.zeros((num_chunks, len(channels)), np.int64)
    np.add.at(counts, (of_chunk, group), 1)
    order = np.argsort(counts, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(channels))[None, :], axis=1)
    sequence = np.argsort(of_chunk * len(channels) + rank[of_chunk, group], kind="stable")
    group, column, of_chunk = group[sequence], column[sequence], of_chunk[sequence]
    words, sizes = _group_words(channels, counts, order)
    begins = 4 * pitch * chunk * np.arange(num_chunks)
    return Columns(
        words,
        ((column - of_chunk * chunk) * (pitch // 2)).astype(np.uint16),
        np.ascontiguousarray(rows[group, :, column], np.float32).reshape(-1),
        np.stack([sizes, begins], 1).astype(np.int64),
    )


def largest_chunk(pitch: int) -> int:
    """The most input channels of a chunk: the last one's begin must fit 16 bits."""
    return max(1, MOST_EIGHTHS // (pitch // 2))


def groups_of(num_channels: int, rows: int) -> Int[np.ndarray, "group row"]:
    """Neighbouring output channels in groups of `rows`; the last repeats the last channel where it must."""
    channels = np.arange(-(-num_channels // rows) * rows)
    return np.minimum(channels, num_channels - 1).reshape(-1, rows)


def _group_words(
    channels: np.ndarray, counts: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The words of all chunks' groups, and how many groups each chunk has.

    The first chunk begins every channel with its bias and the last one ends it; between them, groups without
    columns are left out.
    """
    words, sizes = [], []
    for chunk, groups in enumerate(order):
        if 0 < chunk < len(order) - 1:
            groups = groups[counts[chunk, groups] > 0]
        words.append(np.concatenate([counts[chunk, groups][:, None], channels[groups]], 1))
        sizes.append(len(groups))
    return np.concatenate(words).astype(np.int32).reshape(-1), np.array(sizes)
