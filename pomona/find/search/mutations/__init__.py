"""The mutations of a network, by name, with how often each is tried."""

from collections.abc import Callable, Mapping

import numpy as np

from pomona.find.search.mutations.arguments import choose, narrow, widen
from pomona.find.search.mutations.blocks import insert, remove, replace, swap
from pomona.find.search.mutations.change import Change
from pomona.find.search.mutations.joins import branch, skip
from pomona.find.search.palette import Palette
from pomona.networks.signal import Signal
from pomona.networks.spec import Spec

Mutation = Callable[[Spec, Mapping[str, Signal], Palette, np.random.Generator], Change | None]

MUTATIONS: dict[str, tuple[Mutation, float]] = {
    "insert": (insert, 3.0),
    "remove": (remove, 1.5),
    "replace": (replace, 2.0),
    "swap": (swap, 0.5),
    "widen": (widen, 2.5),
    "narrow": (narrow, 1.0),
    "choose": (choose, 1.5),
    "skip": (skip, 1.0),
    "branch": (branch, 1.0),
}

__all__ = ["MUTATIONS", "Change", "Mutation"]
