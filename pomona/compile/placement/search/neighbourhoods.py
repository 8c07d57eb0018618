"""Moves: small changes of decisions, of many kinds, none of which is best on all graphs.

A move takes the search's view of where it stands and gives other decisions, or None where it finds nothing to
do. Fused clusters that a move of devices would cut are fused anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Int, Int32

from pomona.compile.placement.fusion import fuse
from pomona.compile.placement.problem import Problem
from pomona.compile.placement.search.decisions import Decisions, Judged
from pomona.compile.placement.search.levels import Level
from pomona.compile.placement.simulator.ranks import upward_rank


@dataclass(frozen=True, eq=False)
class View:
    """Where a search stands. What moves look up is worked out when it is first asked for."""

    problem: Problem
    levels: list[Level]
    here: Judged
    can_fuse: bool

    @cached_property
    def crossing(self) -> tuple[Int32[np.ndarray, " transfer"], np.ndarray]:
        """Transfers, and running sums of their bytes to draw one by size."""
        size = self.problem.graph.output_bytes[self.here.transfers.node]
        return np.arange(len(size)), np.cumsum(size + size.mean() if len(size) else size)

    @cached_property
    def critical(self) -> tuple[np.ndarray, np.ndarray]:
        """Units and transfers that the step waits for."""
        from pomona.compile.placement.simulator.critical import critical_chain

        return critical_chain(self.here.trace)

    @cached_property
    def run_order(self) -> Int[np.ndarray, " node"]:
        """Nodes in the order in which they began."""
        return np.argsort(self.here.trace.unit_start[self.here.decisions.cluster], kind="stable")


Move = Callable[[View, np.random.Generator], Decisions | None]


def join_transfer(view: View, generator: np.random.Generator) -> Decisions | None:
    """Ends a transfer, drawn by its bytes: the piece at one end goes to the device of the other."""
    transfers, sums = view.crossing
    if len(transfers) == 0 or sums[-1] <= 0:
        return None
    return _joined(view, int(np.searchsorted(sums, generator.random() * sums[-1])), generator)


def join_critical_transfer(view: View, generator: np.random.Generator) -> Decisions | None:
    """Ends a transfer that the step waits for."""
    transfers = view.critical[1]
    return _joined(view, _one_of(transfers, generator), generator) if len(transfers) else None


def move_critical_piece(view: View, generator: np.random.Generator) -> Decisions | None:
    """Takes a piece that the step waits for to another device."""
    units = view.critical[0]
    if len(units) == 0:
        return None
    level = _level(view, generator)
    return _moved(view, level.piece(int(level.of[_one_of(units, generator)])), _other(view, generator))


def move_piece(view: View, generator: np.random.Generator) -> Decisions | None:
    """Takes any piece to any device."""
    level = _level(view, generator)
    return _moved(view, level.piece(int(generator.integers(level.num_pieces))), _other(view, generator))


def swap_pieces(view: View, generator: np.random.Generator) -> Decisions | None:
    """Two pieces of one level change devices."""
    level, device = _level(view, generator), view.here.decisions.device
    one, other = generator.integers(level.num_pieces, size=2)
    first, second = level.piece(int(one)), level.piece(int(other))
    if device[first[0]] == device[second[0]]:
        return None
    changed = device.copy()
    changed[first], changed[second] = device[second[0]], device[first[0]]
    return placed(view, changed)


def move_segment(view: View, generator: np.random.Generator) -> Decisions | None:
    """Nodes that one device runs one after another go to another device, in whole pieces of a fine level."""
    device = view.here.decisions.device
    order = view.run_order
    begin = int(generator.integers(len(order)))
    length = int(len(order) * 0.3 * generator.random() ** 3) + 2
    home = device[order[begin]]
    some = order[begin : begin + length]
    level = view.levels[0]
    is_taken = np.zeros(level.num_pieces, np.bool_)
    is_taken[level.of[some[device[some] == home]]] = True
    return _moved(view, np.flatnonzero(is_taken[level.of]), _other(view, generator))


def move_region(view: View, generator: np.random.Generator) -> Decisions | None:
    """A connected region of one device goes where something next to it is."""
    return _region_moved(view, int(generator.integers(view.problem.graph.num_nodes)), generator)


def move_critical_region(view: View, generator: np.random.Generator) -> Decisions | None:
    """A region around an end of a transfer that the step waits for goes to the other end's device."""
    transfers = view.critical[1]
    if len(transfers) == 0:
        return None
    one, device = _one_of(transfers, generator), view.here.decisions.device
    node, to = int(view.here.transfers.node[one]), int(view.here.transfers.to[one])
    if generator.random() < 0.5:
        return _region_moved(view, node, generator, to)
    readers = view.problem.consumers_of.of(node)
    return _region_moved(
        view, _one_of(readers[device[readers] == to], generator), generator, int(device[node])
    )


def order_anew(view: View, generator: np.random.Generator) -> Decisions | None:
    """Priorities by the longest way to the end, now and then with a little noise."""
    rank = upward_rank(view.problem, view.here.decisions.device)
    noise = rank.max() * 10.0 ** generator.uniform(-4, -1.5) * generator.integers(2)
    return replace(
        view.here.decisions, priority=rank + noise * generator.standard_normal(len(rank)) if noise else rank
    )


def raise_critical(view: View, generator: np.random.Generator) -> Decisions | None:
    """Part of what the step waits for becomes more urgent."""
    units, priority = view.critical[0], view.here.decisions.priority
    if len(units) == 0:
        return None
    begin = int(generator.integers(len(units)))
    length = 1 + int(len(units) * generator.random() ** 3)
    changed = priority.copy()
    changed[units[begin : begin + length]] += np.ptp(priority) * 10.0 ** generator.uniform(-3, 0)
    return replace(view.here.decisions, priority=changed)


def shift_priority(view: View, generator: np.random.Generator) -> Decisions | None:
    """A piece becomes more or less urgent."""
    priority, level = view.here.decisions.priority, _level(view, generator)
    changed = priority.copy()
    piece = level.piece(int(generator.integers(level.num_pieces)))
    changed[piece] += np.ptp(priority) * 10.0 ** generator.uniform(-3, 0) * generator.choice((-1.0, 1.0))
    return replace(view.here.decisions, priority=changed)


def swap_priorities(view: View, generator: np.random.Generator) -> Decisions | None:
    """Two nodes that one device runs near each other change priorities."""
    device, priority, order = view.here.decisions.device, view.here.decisions.priority, view.run_order
    begin = int(generator.integers(len(order)))
    near = order[begin : begin + 40]
    near = near[device[near] == device[near[0]]]
    if len(near) < 2:
        return None
    one, other = near[0], near[int(generator.integers(1, len(near)))]
    changed = priority.copy()
    changed[one], changed[other] = priority[other], priority[one]
    return replace(view.here.decisions, priority=changed)


def fuse_anew(view: View, generator: np.random.Generator) -> Decisions | None:
    """Fusion by largest output, or where something is fused already by other priorities."""
    graph = view.problem.graph
    fusion = np.array(graph.output_bytes) * np.exp(
        generator.integers(2) * generator.standard_normal(graph.num_nodes)
    )
    return _fused(view, fusion)


def toggle_fusion(view: View, generator: np.random.Generator) -> Decisions | None:
    """Some nodes near each other are no longer fused with their readers, or are again."""
    fusion = view.here.decisions.fusion.copy()
    units = view.critical[0] if generator.random() < 0.5 else view.run_order
    begin = int(generator.integers(max(len(units), 1)))
    some = units[begin : begin + 1 + int(generator.integers(12))]
    if len(some) == 0:
        return None
    size = view.problem.graph.output_bytes[some]
    fusion[some] = np.where(fusion[some] < 0, size, -1.0) if generator.random() < 0.7 else size * 1e3 + 1.0
    return _fused(view, fusion)


def placed(view: View, device: Int32[np.ndarray, " node"]) -> Decisions:
    """The decisions on other devices, clusters fused anew."""
    here = view.here.decisions
    if not view.can_fuse:
        return replace(here, device=device)
    return replace(here, device=device, cluster=fuse(view.problem, device, here.fusion))


PLACEMENT_MOVES: dict[str, Move] = {
    "join transfer": join_transfer,
    "join critical transfer": join_critical_transfer,
    "move critical piece": move_critical_piece,
    "move piece": move_piece,
    "swap pieces": swap_pieces,
    "move segment": move_segment,
    "move region": move_region,
    "move critical region": move_critical_region,
}
SCHEDULING_MOVES: dict[str, Move] = {
    "order anew": order_anew,
    "raise critical": raise_critical,
    "shift priority": shift_priority,
    "swap priorities": swap_priorities,
}
FUSION_MOVES: dict[str, Move] = {"fuse anew": fuse_anew, "toggle fusion": toggle_fusion}


def _level(view: View, generator: np.random.Generator) -> Level:
    return view.levels[int(generator.integers(len(view.levels)))]


def _one_of(numbers: np.ndarray, generator: np.random.Generator) -> int:
    return int(numbers[int(generator.integers(len(numbers)))])


def _other(view: View, generator: np.random.Generator) -> int:
    return int(generator.integers(view.problem.num_devices))


def _joined(view: View, transfer: int, generator: np.random.Generator) -> Decisions | None:
    transfers, device = view.here.transfers, view.here.decisions.device
    node, to = int(transfers.node[transfer]), int(transfers.to[transfer])
    level = _level(view, generator)
    if generator.random() < 0.5:
        return _moved(view, level.piece(level.of[node]), to)
    readers = view.problem.consumers_of.of(node)
    readers = readers[device[readers] == to]
    pieces = [level.piece(piece) for piece in np.unique(level.of[readers])]
    return _moved(view, np.concatenate(pieces), int(device[node]))


def _region_moved(
    view: View, seed: int, generator: np.random.Generator, to: int | None = None
) -> Decisions | None:
    from pomona.compile.placement.search.region import region
    from pomona.compile.placement.simulator.tables import tables_of

    device, num_nodes = view.here.decisions.device, view.problem.graph.num_nodes
    size = int(np.exp(generator.uniform(0.7, np.log(0.3 * num_nodes + 3))))
    some = region(tables_of(view.problem), device, seed, size, generator.random(2 * size))
    if to is None:
        around = view.problem.consumers_of if generator.random() < 0.5 else view.problem.sources_of
        near = around.of(int(some[-1]))
        to = int(device[_one_of(near, generator)]) if len(near) else _other(view, generator)
        to = to if to != device[seed] else _other(view, generator)
    # colocation groups go as a whole
    level = view.levels[0]
    is_taken = np.zeros(level.num_pieces, np.bool_)
    is_taken[level.of[some]] = True
    return _moved(view, np.flatnonzero(is_taken[level.of]), to)


def _moved(view: View, nodes: np.ndarray, to: int) -> Decisions | None:
    device = view.here.decisions.device
    if np.all(device[nodes] == to):
        return None
    changed = device.copy()
    changed[nodes] = to
    return placed(view, changed)


def _fused(view: View, fusion: np.ndarray) -> Decisions:
    here = view.here.decisions
    return replace(here, cluster=fuse(view.problem, here.device, fusion), fusion=fusion)
