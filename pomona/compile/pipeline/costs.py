"""What a stage costs: what it computes, what it takes and hands on, and the memory it needs."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from pomona.compile.pipeline.profile import Profile
from pomona.compile.pipeline.traced import Traced


@dataclass(frozen=True)
class Transfer:
    """What it takes to hand an entry on: of a stage for each side, and of the owner who gives and fetches."""

    fixed_us: float
    us_per_megabyte: float
    owner_fixed_us: float = 0.0
    owner_us_per_megabyte: float = 0.0

    def us(self, size_bytes: float) -> float:
        """Microseconds for so many bytes, of the stage on each side."""
        return self.fixed_us + self.us_per_megabyte * size_bytes / 1e6

    def owner_us(self, size_bytes: float) -> float:
        """Microseconds of the process that owns the pipeline, for the bytes of inputs and outputs."""
        return self.owner_fixed_us + self.owner_us_per_megabyte * size_bytes / 1e6


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs of stages between the places of a traced chain, by indices into `traced.places`."""

    traced: Traced
    profile: Profile
    transfer: Transfer
    memory_bytes: float = float("inf")

    @property
    def num_places(self) -> int:
        """Places where the model may be cut, its beginning and end included."""
        return len(self.traced.places)

    @cached_property
    def crossing_us(self) -> Float[np.ndarray, " place"]:
        """What a cut costs the stage on each side."""
        places = self.traced.places
        return np.array([self.transfer.us(self.traced.live_bytes(place)) for place in places])

    @cached_property
    def single_us(self) -> Float[np.ndarray, " part"]:
        """Time of what lies between neighbouring places, scaled so that their sum is that of the whole."""
        places = self.traced.places
        parts = np.array([self.profile(a, b) for a, b in pairwise(places)])
        return parts * (self.profile(places[0], places[-1]) / max(parts.sum(), 1e-9))

    @cached_property
    def memory(self) -> Float[np.ndarray, "place place"]:
        """Bytes of a stage from place i to place j: its parameters, and the most that is alive in it."""
        traced, places = self.traced, self.traced.places
        memory = np.full((len(places), len(places)), np.inf)
        alive = [traced.live_bytes(place) for place in range(len(traced.chain.nodes) + 1)]
        sizes = traced.chain.parameter_bytes
        for i, start in enumerate(places[:-1]):
            names: set[str] = set()
            total = 0
            for j in range(i + 1, len(places)):
                fresh = {
                    n for node in range(places[j - 1], places[j]) for n in traced.chain.needs[node]
                } - names
                names |= fresh
                total += sum(sizes[name] for name in fresh)
                memory[i, j] = total + max(alive[start : places[j] + 1])
        return memory

    @cached_property
    def additive(self) -> Float[np.ndarray, "place place"]:
        """Cost of every stage, as the sum of its parts and what crosses; infinite beyond the memory."""
        total = np.concatenate([[0.0], np.cumsum(self.single_us)])
        cost = total[None, :] - total[:, None] + self.crossing_us[None, :] + self.crossing_us[:, None]
        return np.where(self.memory <= self.memory_bytes, cost, np.inf)

    @cached_property
    def crossing(self) -> Float[np.ndarray, "place place"]:
        """Of every stage only what crosses."""
        return self.crossing_us[None, :] + self.crossing_us[:, None]

    def measured(self, start: int, end: int) -> float:
        """Cost of a stage whose computation was timed as a whole; infinite beyond the memory."""
        if self.memory[start, end] > self.memory_bytes:
            return float("inf")
        places = self.traced.places
        return self.profile(places[start], places[end]) + float(self.crossing[start, end])
