"""Mutations: whatever is drawn is a possible network of another hash, for every kind of task."""

from dataclasses import replace

import numpy as np
import pytest

from pomona.find.search import edits
from pomona.find.search.genome import Genome, genome_hash
from pomona.find.search.mutate import mutate
from pomona.find.search.mutations import MUTATIONS
from pomona.find.search.palette import make_palette
from pomona.find.search.problem import make_problem
from pomona.find.search.settings import SearchSettings
from pomona.find.search.starting import bare, starting_genome
from pomona.foundation.errors import SettingError
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.construct import GATE
from pomona.networks.cost import flops, parameters
from pomona.networks.hashing import spec_hash
from pomona.networks.shapes import signals
from pomona.networks.spec import Block, Spec
from pomona.tasks import load_task

TASKS = {
    "classify": "digits",
    "multilabel": "digit-properties",
    "regress": "diabetes",
    "segment": "shapes",
    "sequence": "tagged-words",
    "language": "small-grammar",
    "forecast": "seasonal-series",
    "two inputs": "two-digits",
}


@pytest.fixture(scope="module")
def problems():
    return {kind: make_problem(load_task(name), SearchSettings(), BLOCKS) for kind, name in TASKS.items()}


def usual(problem):
    return Genome(problem.usual, problem.usual_technique)


def walk(problem, num_steps, seed, restart=10):
    """Genomes of a random walk, each with its child and the sentence between them."""
    generator = np.random.default_rng(seed)
    parent = usual(problem)
    for step in range(num_steps):
        if step % restart == 0:
            start = starting_genome(step % 3, problem, generator)
            parent = start.genome
        child = mutate(parent, problem, generator)
        yield parent, child
        parent = child.genome


@pytest.mark.parametrize("kind", TASKS)
def test_every_mutation_is_another_possible_network_with_a_sentence(problems, kind):
    problem = problems[kind]
    wanted = signals(problem.usual)
    for parent, child in walk(problem, 150 if kind != "classify" else 1000, seed=0):
        known = signals(child.genome.spec)
        assert child.hash == genome_hash(child.genome) != genome_hash(parent)
        for head, block_id in child.genome.spec.outputs.items():
            assert known[block_id].shape == wanted[problem.usual.outputs[head]].shape
        assert problem.techniques.contains(child.genome.training)
        assert child.sentence[0].islower()
        assert Genome.from_json(child.genome.to_json()).to_json() == child.genome.to_json()


def test_a_mutation_changes_the_network_or_the_technique_but_not_both(problems):
    for parent, child in walk(problems["classify"], 200, seed=1):
        same_network = spec_hash(parent.spec) == spec_hash(child.genome.spec)
        assert same_network != (parent.training == child.genome.training)


def test_all_kinds_of_mutations_come_up(problems):
    verbs = {child.sentence.split()[0] for _, child in walk(problems["classify"], 300, seed=2)}
    assert verbs == {"inserted", "removed", "replaced", "swapped", "widened", "narrowed", "changed", "added"}


@pytest.mark.parametrize("kind", ["classify", "sequence", "segment"])
def test_an_inserted_wide_block_is_gated_and_changes_nothing_at_first(problems, kind):
    import torch

    from pomona.export.example import random_batch

    problem = problems[kind]
    insert = MUTATIONS["insert"][0]
    generator = np.random.default_rng(0)
    known = signals(problem.usual)
    batch = {
        name: torch.as_tensor(array)
        for name, array in random_batch(problem.usual.inputs, 3, generator=generator).items()
    }
    gated = 0
    for _ in range(60):
        change = insert(problem.usual, known, problem.palette, generator)
        (new,) = [b for b in change.spec.blocks if b.id not in {a.id for a in problem.usual.blocks}]
        if not new.args.get(GATE):
            continue
        gated += 1
        before = build(problem.usual, 0).eval()(batch)
        after = build(change.spec, 0).eval()(batch)
        for head, other in zip(before.values(), after.values(), strict=True):
            assert torch.equal(head, other), change.sentence
    assert gated > 10


def test_in_a_language_model_no_step_sees_a_later_one(problems):
    import torch

    problem = problems["language"]
    ((name, feature),) = problem.usual.inputs.items()
    generator = np.random.default_rng(0)
    tokens = torch.as_tensor(generator.integers(1, feature.num_tokens, (2, *feature.shape)))
    changed = tokens.clone()
    cut = feature.shape[0] // 2
    changed[:, cut:] = torch.as_tensor(
        generator.integers(1, feature.num_tokens, tuple(changed[:, cut:].shape))
    )
    for _, child in walk(problem, 60, seed=3):
        network = build(child.genome.spec, 0).eval()
        with torch.no_grad():
            for parameter in network.parameters():
                # gates start at zero and would hide a leak
                parameter.add_(0.1)
            (before,) = network({name: tokens}).values()
            (after,) = network({name: changed}).values()
        assert torch.allclose(before[:, :cut], after[:, :cut], atol=1e-4), child.sentence


def test_a_search_space_of_few_blocks_adds_no_others(problems):
    palette = make_palette(BLOCKS, ("convolution", "dense"))
    problem = replace(problems["classify"], palette=palette)
    generator = np.random.default_rng(0)
    for position in range(6):
        genome = starting_genome(position, problem, generator).genome
        for _ in range(20):
            genome = mutate(genome, problem, generator).genome
        bodies = {b.block for b in genome.spec.blocks if palette.role(b) == "body"}
        assert bodies <= {"convolution", "dense"}


@pytest.mark.parametrize(("allowed", "said"), [(("convolutions",), "convolution"), (("head",), "body")])
def test_wrong_kinds_of_blocks_are_refused(allowed, said):
    with pytest.raises(SettingError, match=said):
        make_palette(BLOCKS, allowed)


def test_equal_generators_give_equal_mutations(problems):
    first = [child.hash for _, child in walk(problems["regress"], 40, seed=5)]
    assert first == [child.hash for _, child in walk(problems["regress"], 40, seed=5)]


def test_a_genomes_hash_knows_the_technique_but_not_the_names_of_blocks(problems):
    genome = usual(problems["classify"])
    renamed = Spec(
        genome.spec.inputs,
        tuple(
            Block(
                f"x_{b.id}",
                b.block,
                b.args,
                tuple(s if s in genome.spec.inputs else f"x_{s}" for s in b.sources),
            )
            for b in genome.spec.blocks
        ),
        {head: f"x_{block_id}" for head, block_id in genome.spec.outputs.items()},
    )
    assert genome_hash(Genome(renamed, genome.training)) == genome_hash(genome)
    other = {**genome.training, "learning_rate": 1e-3}
    assert genome_hash(Genome(genome.spec, other)) != genome_hash(genome)


@pytest.mark.parametrize("kind", TASKS)
def test_the_search_starts_with_the_usual_network_and_that_at_twice_its_width(problems, kind):
    problem = problems[kind]
    generator = np.random.default_rng(0)
    first, second = (starting_genome(position, problem, generator) for position in (0, 1))
    assert first.genome.spec == problem.usual
    assert parameters(second.genome.spec) > 1.5 * parameters(problem.usual)
    assert [b.block for b in second.genome.spec.blocks] == [b.block for b in problem.usual.blocks]


@pytest.mark.parametrize("kind", TASKS)
def test_the_bare_network_still_leads_from_inputs_to_heads(problems, kind):
    problem = problems[kind]
    spec = bare(problem.usual, problem.palette)
    assert problem.is_possible(spec)
    assert len(spec.blocks) < len(problem.usual.blocks)


def test_a_recurrence_over_very_many_steps_is_not_possible():
    problem = make_problem(load_task("spoken-digits"), SearchSettings(), BLOCKS)
    for num_upsamples, is_possible in ((2, True), (3, False)):
        longer = [
            Block(f"up{n}", "upsample", {"size": 3}, (f"up{n - 1}" if n else "mel",))
            for n in range(num_upsamples)
        ]
        read = Block("read", "gru", {"width": 8}, (longer[-1].id,))
        spec = edits.insert_after(bare(problem.usual, problem.palette), "mel", [*longer, read])
        assert flops(spec) < problem.max_flops
        assert problem.is_possible(spec) == is_possible
