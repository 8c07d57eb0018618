"""What a move moves: colocation groups, alone or in coarser and coarser pieces of the graph."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

from pomona.compile.placement.problem import Problem
from pomona.compile.placement.tasks import tasks_of

SIZES = (4096, 1024, 384, 128, 48)
"""Tasks of the coarser levels."""


@dataclass(frozen=True, eq=False)
class Level:
    """Pieces that move as a whole; piece i is `nodes[starts[i]:starts[i + 1]]`."""

    of: Int32[np.ndarray, " node"]
    starts: Int32[np.ndarray, " bound"]
    nodes: Int32[np.ndarray, " node"]

    @property
    def num_pieces(self) -> int:
        return len(self.starts) - 1

    def piece(self, number: int) -> Int32[np.ndarray, " member"]:
        return self.nodes[self.starts[number] : self.starts[number + 1]]


def levels_of(problem: Problem, most_pieces: int) -> list[Level]:
    """Levels from fine to coarse, none with more than `most_pieces` pieces unless it is the only one."""
    groups = _level(problem.graph.groups)
    finest = [groups] if groups.num_pieces <= most_pieces else []
    sizes = [size for size in SIZES if size < min(groups.num_pieces, 2 * most_pieces)]
    coarse = [tasks_of(problem, size) for size in sizes]
    levels = finest + [_level(one.team[one.of]) for one in coarse]
    return [one for one in levels if one.num_pieces > problem.num_devices] or [groups]


def _level(number: np.ndarray) -> Level:
    _, of = np.unique(number, return_inverse=True)
    starts = np.zeros(int(of.max()) + 2, np.int32)
    np.cumsum(np.bincount(of), out=starts[1:])
    return Level(of.astype(np.int32), starts, np.argsort(of, kind="stable").astype(np.int32))
