"""A population is one more array axis: members are written singly, and here the axis is added.

A population is a tree of tensors (a dict of them, say a state dict) with `member` as their first axis. What
is done to one member is a function of its tensors; `each` does it to all, in turn, in chunks or at once. How,
is a matter of speed alone: results agree to rounding, about 1e-12 in float64.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils import _pytree as trees

from pomona.foundation.errors import DataError, SettingError, unknown_name
from pomona.foundation.run import Run

Tree = Any
"""A tensor, or a dict, list or tuple of trees."""

NUM_TIMED = 3

NOT_VMAPPED = ("atching rule not implemented", "vmap:", "inside of vmap", "in vmap")
"""What torch says of operations, such as recurrent layers, and of branches that vmap cannot do."""


def spread(make: Callable[[int], Mapping[str, Tensor]], seeds: Iterable[int]) -> dict[str, Tensor]:
    """The population of what `make` gives for each seed, such as the weights of a network.

    >>> spread(lambda seed: {"weight": torch.full((2,), float(seed))}, [3, 4])["weight"].tolist()
    [[3.0, 3.0], [4.0, 4.0]]
    """
    return join([dict(make(seed)) for seed in seeds])


def join(members: Sequence[Tree]) -> Tree:
    """The population of single members. Raises DataError, naming the leaf, when they are not of one shape."""
    if not members:
        raise DataError("a population needs at least one member, got none")
    paths, structure = trees.tree_flatten_with_path(members[0])
    columns = [[leaf] for _, leaf in paths]
    for index, member in enumerate(members[1:], start=1):
        others, other_structure = trees.tree_flatten(member)
        if other_structure != structure:
            raise DataError(f"member {index} has other leaves than member 0: {other_structure}")
        for column, (path, first), leaf in zip(columns, paths, others, strict=True):
            if leaf.shape != first.shape or leaf.dtype != first.dtype:
                raise DataError(
                    f"leaf {trees.keystr(path)} is {leaf.dtype} {tuple(leaf.shape)} in member {index}, "
                    f"but {first.dtype} {tuple(first.shape)} in member 0: members need one shape"
                )
            column.append(leaf)
    return trees.tree_unflatten([torch.stack(column) for column in columns], structure)


def pick(population: Tree, member: int) -> Tree:
    """One member, as views."""
    return trees.tree_map(lambda leaf: leaf[member], population)


def size(population: Tree) -> int:
    """How many members there are."""
    return len(trees.tree_leaves(population)[0])


def each(
    function: Callable[..., Tree],
    *populations: Tree,
    how: str = "auto",
    run: Run | None = None,
    key: str = "each",
) -> Tree:
    """What `function` gives for each member's part of the populations, joined along `member`.

    how        execution
    loop       one member after another; an error says which member it was
    chunk:N    N members at once
    vmap       all at once
    auto       the fastest of these (see `fastest`); with a `run` it is decided once for each `key`

    Random layers draw differently for every member, and not the same numbers for every `how`.
    """
    if how == "auto":
        how = fastest(function, *populations, run=run, key=key)
    num_members = size(populations[0])
    if how == "loop":
        return join([_one(function, populations, member) for member in range(num_members)])
    chunk = _chunk_size(how, num_members)
    return torch.func.vmap(function, randomness="different", chunk_size=chunk)(*populations)


def fastest(
    function: Callable[..., Tree], *populations: Tree, run: Run | None = None, key: str = "each"
) -> str:
    """The fastest way to run `function` for each member, timed on three calls; ways that vmap refuses lose.

    Choices hang on the clock, so they are logged by the run, and a resumed run repeats them. The function
    must leave its arguments as they are; torch's own generators are as before.
    """

    def choose() -> str:
        num_members = size(populations[0])
        if num_members == 1:
            return "loop"
        quarter = -(-num_members // 4)
        ways = ["loop", "vmap"] + ([f"chunk:{quarter}"] if quarter > 1 else [])
        with torch.random.fork_rng(devices=_cards(populations)):
            seconds = {way: _seconds(function, populations, way) for way in ways}
        return min(ways, key=lambda way: seconds[way])

    return choose() if run is None else run.decide("how a population is run", key, choose)


@dataclass(frozen=True)
class Summary:
    """Statistics over members."""

    mean: float
    deviation: float
    """Of the sample, with one degree of freedom less than members; NaN for a single one."""
    low: float
    high: float
    num_members: int
    """Those that were counted."""
    num_failed: int


def summarise(
    values: Float[np.ndarray, " member"] | Sequence[float],
    mask: Bool[np.ndarray, " member"] | Sequence[bool] | None = None,
    *,
    on_failed: Literal["leave-out", "nan", "raise"] = "leave-out",
) -> Summary:
    """Mean, deviation and range over members. One failed where its value is not finite or `mask` is false.

    on_failed: "leave-out" counts the others, "nan" makes every statistic NaN when one failed, "raise" raises
    DataError naming the failed members.
    """
    if on_failed not in ("leave-out", "nan", "raise"):
        raise unknown_name("rule for failed members", on_failed, ("leave-out", "nan", "raise"))
    numbers = np.asarray(values, np.float64)
    sound = np.isfinite(numbers) if mask is None else np.isfinite(numbers) & np.asarray(mask, bool)
    num_failed = int((~sound).sum())
    if num_failed and on_failed == "raise":
        raise DataError(f"members {', '.join(map(str, np.flatnonzero(~sound)))} failed; all were wanted")
    counted = numbers[sound]
    if not len(counted) or (num_failed and on_failed == "nan"):
        return Summary(np.nan, np.nan, np.nan, np.nan, len(counted), num_failed)
    deviation = float(counted.std(ddof=1)) if len(counted) > 1 else np.nan
    return Summary(
        float(counted.mean()), deviation, float(counted.min()), float(counted.max()), len(counted), num_failed
    )


def _one(function: Callable[..., Tree], populations: Sequence[Tree], member: int) -> Tree:
    try:
        return function(*(pick(population, member) for population in populations))
    except Exception as error:
        error.add_note(f"member {member}")
        raise


def _chunk_size(how: str, num_members: int) -> int | None:
    if how == "vmap":
        return None
    kind, _, count = how.partition(":")
    if kind != "chunk" or not count.isdigit() or int(count) < 1:
        raise SettingError(f"how must be loop, chunk:N with N at least 1, vmap or auto, got {how!r}")
    return min(int(count), num_members)


def _seconds(function: Callable[..., Tree], populations: Sequence[Tree], how: str) -> float:
    try:
        each(function, *populations, how=how)  # the first call of a kind is slower
        began = time.perf_counter()
        for _ in range(NUM_TIMED):
            result = each(function, *populations, how=how)
        # an accelerator works on after the call: waiting for one number waits for all
        trees.tree_leaves(result)[0].flatten()[:1].tolist()
        return time.perf_counter() - began
    except RuntimeError as error:
        if how == "loop" or not any(phrase in str(error) for phrase in NOT_VMAPPED):
            raise
        return float("inf")


def _cards(populations: Sequence[Tree]) -> list[torch.device]:
    devices = {leaf.device for leaf in trees.tree_leaves(populations)}
    return [device for device in devices if device.type == "cuda"]
