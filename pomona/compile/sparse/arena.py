"""Where tensors lie in one stretch of memory: those that never live at the same time share their place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pomona.compile.sparse.layout import CACHE_LINE


@dataclass(frozen=True)
class Lifetime:
    """A tensor's size and the first and the last step that touch it."""

    name: str
    size_bytes: int
    first: int
    last: int


def offsets(lifetimes: Sequence[Lifetime]) -> tuple[Mapping[str, int], int]:
    """Each tensor's offset, a multiple of a cache line, and the whole size in bytes.

    Largest first, each at the lowest gap between those that live while it does.
    """
    placed: list[tuple[Lifetime, int]] = []
    for lifetime in sorted(lifetimes, key=lambda one: (-one.size_bytes, one.first)):
        placed.append((lifetime, _lowest_gap(lifetime, placed)))
    end = max((offset + _rounded(lifetime) for lifetime, offset in placed), default=0)
    return {lifetime.name: offset for lifetime, offset in placed}, end


def _lowest_gap(lifetime: Lifetime, placed: Sequence[tuple[Lifetime, int]]) -> int:
    taken = sorted(
        (offset, offset + _rounded(other))
        for other, offset in placed
        if other.first <= lifetime.last and lifetime.first <= other.last
    )
    begin = 0
    for low, high in taken:
        if low - begin >= _rounded(lifetime):
            break
        begin = max(begin, high)
    return begin


def _rounded(lifetime: Lifetime) -> int:
    # one line more: two tensors that begin a page apart would take each other's place in the cache
    return (-(-lifetime.size_bytes // CACHE_LINE) + 1) * CACHE_LINE
