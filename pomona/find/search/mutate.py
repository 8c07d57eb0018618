"""From a genome to one that differs in one thing."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.mutations import MUTATIONS
from pomona.find.search.mutations.arguments import said
from pomona.find.search.palette import Palette, pick
from pomona.find.search.problem import Problem
from pomona.fit.trials.space import Space
from pomona.foundation.errors import SpecError
from pomona.networks.shapes import signals
from pomona.networks.signal import Signal
from pomona.networks.spec import Spec

TECHNIQUE_SHARE = 0.25
"""How often the training technique is changed rather than the network."""

FIXED_TECHNIQUE_SHARE = 0.75
"""The same where networks are whole: else another one is trained in the same way."""

MAX_DRAWS = 300


@dataclass(frozen=True)
class Mutated:
    """A new genome, its hash, and in words how it differs from the one it was made of."""

    genome: Genome
    hash: str
    sentence: str


def mutate(parent: Genome, problem: Problem, generator: np.random.Generator) -> Mutated:
    """A genome that differs from `parent` in one thing, and in its hash, and whose network is possible.

    Raises SpecError when many draws in a row give nothing.
    """
    palette = problem.palette
    own_hash = genome_hash(parent, blocks=palette.blocks)
    known = signals(parent.spec, blocks=palette.blocks)
    is_fixed = bool(problem.networks)
    for _ in range(MAX_DRAWS):
        if generator.random() < (FIXED_TECHNIQUE_SHARE if is_fixed else TECHNIQUE_SHARE):
            genome, sentence = _retrained(parent, problem.techniques, generator)
        elif is_fixed:
            name = pick(tuple(problem.networks), generator)
            genome, sentence = Genome(problem.networks[name], parent.training), f"took the network {name}"
        else:
            drawn = _rebuilt(parent, known, problem, generator)
            if drawn is None:
                continue
            genome, sentence = drawn
        new_hash = genome_hash(genome, blocks=palette.blocks)
        if new_hash != own_hash:
            return Mutated(genome, new_hash, sentence)
    raise SpecError(f"no change of this network is possible: {MAX_DRAWS} were tried")


def is_sound(spec: Spec, palette: Palette) -> bool:
    """Whether a network's shapes fit and every input is read."""
    if {source for block in spec.blocks for source in block.sources} & set(spec.inputs) != set(spec.inputs):
        return False
    try:
        signals(spec, blocks=palette.blocks)
    except SpecError:
        return False
    return True


def _retrained(parent: Genome, techniques: Space, generator: np.random.Generator) -> tuple[Genome, str]:
    training = techniques.mutate(parent.training, generator)
    name = next(name for name in training if training[name] != parent.training[name])
    sentence = (
        f"changed {name.replace('_', ' ')} from {said(parent.training[name])} to {said(training[name])}"
    )
    return Genome(parent.spec, training), sentence


def _rebuilt(
    parent: Genome,
    known: Mapping[str, Signal],
    problem: Problem,
    generator: np.random.Generator,
) -> tuple[Genome, str] | None:
    weights = np.array([weight for _, weight in MUTATIONS.values()])
    name = list(MUTATIONS)[int(generator.choice(len(weights), p=weights / weights.sum()))]
    change = MUTATIONS[name][0](parent.spec, known, problem.palette, generator)
    if change is None or not is_sound(change.spec, problem.palette) or not problem.is_possible(change.spec):
        return None
    return Genome(change.spec, parent.training), change.sentence
