"""Where a search starts: the usual network for such a task, then random ones."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from pomona.find.search import edits
from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.mutate import MAX_DRAWS, Mutated, is_sound
from pomona.find.search.mutations.blocks import insert_bare
from pomona.find.search.palette import Palette, pick
from pomona.find.search.problem import Problem
from pomona.find.search.techniques import untaught
from pomona.fit.trials.space import Point
from pomona.networks.shapes import signals
from pomona.networks.spec import Spec

DEPTHS = (2, 5)
"""Fewest and most blocks of a random chain, besides those that adapt shapes."""

USUAL_SHARE = 0.5
"""How often a random chain is trained as the usual network is."""


def starting_genome(position: int, problem: Problem, generator: np.random.Generator) -> Mutated:
    """The genome to start with in the given position.

    First comes the usual network, where its blocks are allowed, then the same at twice its width. The others
    are random chains between its inputs and heads, with a technique drawn at random as often as not.
    """
    palette, usual = problem.palette, problem.usual
    if problem.networks:
        return random_start(problem, generator)
    is_allowed = all(
        block.block in palette.allowed or palette.role(block) != "body" for block in usual.blocks
    )
    if position == 0 and is_allowed:
        return _started(usual, problem.usual_technique, palette, "the usual network for such a task")
    doubled = at_twice_its_width(usual)
    if position == 1 and is_allowed and is_sound(doubled, palette) and problem.is_possible(doubled):
        return _started(doubled, problem.usual_technique, palette, "the usual network at twice its width")
    return random_start(problem, generator)


def random_start(problem: Problem, generator: np.random.Generator) -> Mutated:
    """A random chain, or one of the whole networks where there are any, trained as the usual network is or
    with a technique drawn at random, without a teacher: at the start nobody knows anything.
    """
    names = tuple(problem.networks)
    name = pick(names, generator)
    spec = random_chain(problem, generator) if name is None else problem.networks[name]
    is_usual = generator.random() < USUAL_SHARE
    training = problem.usual_technique if is_usual else untaught(problem.techniques.sample(generator))
    return _started(spec, training, problem.palette, f"the network {name}" if name else "a random chain")


def untried_network(
    problem: Problem, known: Collection[str], generator: np.random.Generator
) -> Mutated | None:
    """A whole network, trained as usual, whose hash is not `known`; None when there is none."""
    started = [
        _started(spec, problem.usual_technique, problem.palette, f"the network {name}")
        for name, spec in problem.networks.items()
    ]
    # which one is drawn: trainers that start together then do not all begin with the first
    return pick([one for one in started if one.hash not in known], generator)


def at_twice_its_width(spec: Spec) -> Spec:
    """With every `width` that a block is given doubled."""
    blocks = [b.with_args(width=2 * b.args["width"]) if "width" in b.args else b for b in spec.blocks]
    return replace(spec, blocks=tuple(blocks))


def random_chain(problem: Problem, generator: np.random.Generator) -> Spec:
    """The usual network with other blocks in its body: what it needs to get from its inputs to its heads, and
    a random number of random blocks wherever they fit, fewer where no more keep to the limits.
    """
    spec = bare(problem.usual, problem.palette)
    depth = int(generator.integers(DEPTHS[0], DEPTHS[1] + 1))
    for _ in range(depth):
        longer = _one_more(spec, problem, generator)
        if longer is None:
            break
        spec = longer
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


def _started(spec: Spec, training: Point, palette: Palette, sentence: str) -> Mutated:
    genome = Genome(spec, training)
    return Mutated(genome, genome_hash(genome, blocks=palette.blocks), sentence)


def _one_more(spec: Spec, problem: Problem, generator: np.random.Generator) -> Spec | None:
    known = signals(spec, blocks=problem.palette.blocks)
    for _ in range(MAX_DRAWS):
        change = insert_bare(spec, known, problem.palette, generator)
        if change is not None and is_sound(change.spec, problem.palette) and problem.is_possible(change.spec):
            return change.spec
    return None
