"""Networks with their training techniques as a space that strategies can search."""

import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float

from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.mutate import Mutated, mutate
from pomona.find.search.problem import Problem
from pomona.find.search.starting import random_start
from pomona.foundation.errors import SpecError
from pomona.networks.cost import flops, parameters

DEEP = 10.0
"""Blocks of a network that counts as deep: depths are told as shares of it."""

LARGE = 10.0
"""The decimal logarithm of many parameters or operations: sizes are told as shares of it."""


class GenomeSpace:
    """The SearchSpace of a problem's networks; its points are genomes as plain data.

    It remembers in words how each point that it made came to be, and counts those drawn and changed that are
    in `known`, the hashes of genomes that were tried.
    """

    def __init__(self, problem: Problem, known: Collection[str] = ()):
        self.num_known = 0
        self._problem = problem
        self._known = known
        self._sentences: dict[str, str] = {}
        self._kinds = {name: place for place, name in enumerate(sorted(problem.palette.blocks))}

    def sample(self, generator: np.random.Generator) -> dict[str, Any]:
        """A random chain of blocks."""
        return self._point(self._counted(random_start(self._problem, generator)))

    def mutate(self, point: Any, generator: np.random.Generator) -> dict[str, Any]:
        """`point` with one thing changed in network or technique. Raises SpecError when nothing can be."""
        made = self._counted(mutate(Genome.from_json(point), self._problem, generator))
        key = self.key(point)
        if key in self._sentences and key not in self._known:
            # a change of what was itself made by a change: both are told
            made = replace(made, sentence=f"{self._sentences[key]}, {made.sentence}")
        return self._point(made)

    def cross(self, a: Any, b: Any, generator: np.random.Generator) -> dict[str, Any]:
        """The network of `a` with some parts of the training technique of `b`, where those differ. Raises
        SpecError when none do."""
        first, second = Genome.from_json(a), Genome.from_json(b)
        others = [name for name, value in second.training.items() if value != first.training[name]]
        if not others:
            raise SpecError("two models that are trained alike have no techniques to join")
        taken = generator.choice(len(others), size=int(generator.integers(1, len(others) + 1)), replace=False)
        joined = {others[place]: second.training[others[place]] for place in taken}
        crossed = Genome(first.spec, {**first.training, **joined})
        sentence = "took a part of another model's training technique"
        return self._point(Mutated(crossed, self._hash(crossed), sentence))

    def key(self, point: Any) -> str:
        """The hash of the genome."""
        return self._hash(Genome.from_json(point))

    def features(self, point: Any) -> Float[np.ndarray, " feature"]:
        """How often each kind of block is in it, its depth and joins, its size, and its technique."""
        genome, blocks = Genome.from_json(point), self._problem.palette.blocks
        counts = np.zeros(len(self._kinds))
        for block in genome.spec.blocks:
            counts[self._kinds[block.block]] += 1.0
        joins = sum(len(block.sources) > 1 for block in genome.spec.blocks)
        size = [
            len(genome.spec.blocks) / DEEP,
            joins / DEEP,
            math.log10(1 + parameters(genome.spec, blocks=blocks)) / LARGE,
            math.log10(1 + flops(genome.spec, blocks=blocks)) / LARGE,
        ]
        technique = self._problem.techniques.features(genome.training)
        return np.concatenate([np.log2(1.0 + counts), size, technique])

    def sentence(self, key: str) -> str:
        """How the point of this key, made by this space, came to be; empty for another one."""
        return self._sentences.get(key, "")

    def _point(self, made: Mutated) -> dict[str, Any]:
        self._sentences[made.hash] = made.sentence
        return made.genome.to_json()

    def _counted(self, made: Mutated) -> Mutated:
        self.num_known += made.hash in self._known
        return made

    def _hash(self, genome: Genome) -> str:
        return genome_hash(genome, blocks=self._problem.palette.blocks)
