"""The canonical hash sees what a network is, not what it is called."""

import random

import pytest
from network_samples import FEATURES, one_block, random_spec, variants

from pomona.foundation.errors import SpecError
from pomona.networks.blocks import BLOCKS
from pomona.networks.construct import arguments
from pomona.networks.hashing import spec_hash
from pomona.networks.spec import Block, Spec, in_reading_order


def renamed(spec: Spec, seed: int) -> Spec:
    """The same network with other ids and another order, sums turned round, defaults written out."""
    chance = random.Random(seed)
    names = [f"n{number}" for number in range(len(spec.blocks))]
    chance.shuffle(names)
    new = {block.id: name for block, name in zip(spec.blocks, names, strict=True)}
    blocks = []
    for block in spec.blocks:
        sources = [new.get(source, source) for source in block.sources]
        if block.block == "add":
            chance.shuffle(sources)
        args = block.args if chance.random() < 0.5 else arguments(BLOCKS[block.block], block.args)[1]
        blocks.append(Block(new[block.id], block.block, args, tuple(sources)))
    chance.shuffle(blocks)
    outputs = {head: new[block_id] for head, block_id in spec.outputs.items()}
    return Spec(spec.inputs, in_reading_order(blocks, spec.inputs), outputs)


def test_names_order_and_defaults_do_not_count():
    for seed in range(40):
        spec = random_spec(seed)
        assert {spec_hash(renamed(spec, other)) for other in range(3)} == {spec_hash(spec)}, seed


def test_json_does_not_count():
    for seed in range(20):
        spec = random_spec(seed)
        assert spec_hash(Spec.from_json(spec.to_json())) == spec_hash(spec)


def test_every_argument_counts():
    seen: dict[str, tuple] = {}
    for name, kind, args in variants():
        defaults = arguments(BLOCKS[name], one_block(name, kind, args).blocks[0].args)[1]
        key = (name, kind, str(sorted(defaults.items())))
        digest = spec_hash(one_block(name, kind, args))
        assert seen.setdefault(digest, key) == key
    assert len(seen) == len(set(seen.values()))


def test_a_gate_counts():
    plain, gated = (one_block("residual", "image", {"width": 16, "residual": gate}) for gate in (False, True))
    assert spec_hash(plain) == spec_hash(one_block("residual", "image", {"width": 16}))
    assert spec_hash(plain) != spec_hash(gated)


def test_unused_blocks_do_not_count():
    spec = one_block("dense", "vector")
    extra = Block("dead", "dense", {"width": 8}, ("b",))
    assert spec_hash(Spec(spec.inputs, (*spec.blocks, extra), spec.outputs)) == spec_hash(spec)


def dense(name, source, width=16):
    return Block(name, "dense", {"width": width}, (source,))


def vector_spec(*blocks, head):
    return Spec({"x": FEATURES["vector"]}, blocks, {"y": head})


def test_one_block_read_twice_is_not_two_equal_blocks():
    shared = vector_spec(dense("a", "x"), Block("s", "add", {}, ("a", "a")), head="s")
    apart = vector_spec(dense("a", "x"), dense("b", "x"), Block("s", "add", {}, ("a", "b")), head="s")
    assert spec_hash(shared) != spec_hash(apart)


def test_which_of_two_equal_blocks_is_read_again_does_not_count_but_that_it_is_does():
    def reading(again: str, other: str) -> Spec:
        blocks = (
            dense("a", "x"),
            dense("b", "x"),
            Block("s", "add", {}, ("a", "b")),
            dense("c", again),
            dense("d", other),
            Block("t", "concatenate", {}, ("s", "c", "d")),
        )
        return vector_spec(*blocks, head="t")

    assert spec_hash(reading("a", "a")) == spec_hash(reading("b", "b"))
    assert spec_hash(reading("a", "b")) == spec_hash(reading("b", "a"))
    assert spec_hash(reading("a", "a")) != spec_hash(reading("a", "b"))


def test_order_counts_in_a_concatenation_but_not_in_a_sum():
    def joined(block: str, *sources: str) -> str:
        parts = (dense("a", "x"), dense("b", "a"))
        return spec_hash(vector_spec(*parts, Block("j", block, {}, sources), head="j"))

    assert joined("add", "a", "b") == joined("add", "b", "a")
    assert joined("concatenate", "a", "b") != joined("concatenate", "b", "a")


def test_heads_inputs_and_nested_networks_count():
    spec = one_block("dense", "vector")
    other_head = Spec(spec.inputs, spec.blocks, {"z": "b"})
    inner = one_block("dense", "vector").to_json()
    same = one_block("dense", "vector")
    same = Spec(same.inputs, (Block("other", "dense", {"width": 64}, ("x",)),), {"y": "other"}).to_json()
    wide = one_block("dense", "vector", {"width": 32}).to_json()
    nested = [
        spec_hash(vector_spec(Block("n", "network", {"spec": s}, ("x",)), head="n"))
        for s in (inner, same, wide)
    ]
    assert spec_hash(spec) != spec_hash(other_head)
    assert nested[0] == nested[1] != nested[2]


def test_long_chains_are_hashed_without_recursion():
    blocks = [dense("b0", "x")] + [dense(f"b{i}", f"b{i - 1}") for i in range(1, 300)]
    assert len(spec_hash(vector_spec(*blocks, head="b299"))) == 64


def test_unknown_blocks_are_named():
    with pytest.raises(SpecError, match=r"block 'b' \(danse\): no block 'danse'; did you mean 'dense'"):
        spec_hash(vector_spec(Block("b", "danse", {}, ("x",)), head="b"))
