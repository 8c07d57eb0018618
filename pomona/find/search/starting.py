"""Where a search starts: the usual network for such a task, then random ones."""

from collections.abc import Callable

import numpy as np

from pomona.find.search import edits
from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.mutate import MAX_DRAWS, Mutated, is_sound
from pomona.find.search.mutations.blocks import insert_bare
from pomona.find.search.palette import Palette
from pomona.fit.trials.space import Point, Space
from pomona.foundation.errors import SpecError
from pomona.networks.shapes import signals
from pomona.networks.spec import Spec

DEPTHS = (2, 5)
"""Fewest and most blocks of a random chain, besides those that adapt shapes."""


def starting_genome(
    position: int,
    usual: Spec,
    usual_technique: Point,
    generator: np.random.Generator,
    *,
    palette: Palette,
    techniques: Space,
    is_possible: Callable[[Spec], bool] = lambda spec: True,
) -> Mutated:
    """The genome to start with in the given position: the usual one first, where its blocks are allowed.

    The others are random chains between the inputs and heads of the usual network, with a technique drawn at
    random as often as not.
    """
    if position == 0 and all(
        block.block in palette.allowed or palette.role(block) != "body" for block in usual.blocks
    ):
        genome = Genome(usual, usual_technique)
        return Mutated(
            genome, genome_hash(genome, blocks=palette.blocks), "the usual network for such a task"
        )
    spec = random_chain(usual, generator, palette=palette, is_possible=is_possible)
    training = techniques.sample(generator) if generator.random() < 0.5 else usual_technique
    genome = Genome(spec, training)
    return Mutated(genome, genome_hash(genome, blocks=palette.blocks), "a random chain")


def random_chain(
    usual: Spec,
    generator: np.random.Generator,
    *,
    palette: Palette,
    is_possible: Callable[[Spec], bool] = lambda spec: True,
) -> Spec:
    """`usual` with other blocks in its body: what it needs to get from its inputs to its heads, and a random
    number of random blocks wherever they fit.
    """
    spec = bare(usual, palette)
    depth = int(generator.integers(DEPTHS[0], DEPTHS[1] + 1))
    for _ in range(depth):
        spec = _one_more(spec, generator, palette, is_possible)
    return spec


def bare(usual: Spec, palette: Palette) -> Spec:
    """`usual` without every block of its body that it can do without."""
    spec = usual
    for block in usual.blocks:
        if palette.role(block) != "body" or block.id not in {b.id for b in spec.blocks}:
            continue
        without = edits.remove(spec, block.id, spec.block(block.id).sources[0])
        if is_sound(without, palette):
            spec = without
    return spec


def _one_more(
    spec: Spec, generator: np.random.Generator, palette: Palette, is_possible: Callable[[Spec], bool]
) -> Spec:
    known = signals(spec, blocks=palette.blocks)
    for _ in range(MAX_DRAWS):
        change = insert_bare(spec, known, palette, generator)
        if change is not None and is_sound(change.spec, palette) and is_possible(change.spec):
            return change.spec
    raise SpecError(f"no block can be added to this network: {MAX_DRAWS} were tried")
