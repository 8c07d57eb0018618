"""Costs told without building equal those of the built network and of torch's own counter."""

import torch
from network_samples import inputs_of, one_block, random_spec, variants
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from pomona.networks.build import build
from pomona.networks.cost import flops, parameters, recurrent_steps

UNSEEN = ("lstm", "gru", "leaf", "front_end")
"""torch's counter does not count its fused recurrent kernels, nor Fourier transforms."""


def counted(spec) -> int:
    network = build(spec, 0).eval()
    # torch counts a fused attention kernel at the size of its padded heads; plain matrix products are exact
    plain = sdpa_kernel(SDPBackend.MATH)
    with plain, torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(inputs_of(spec, num_examples=1, dtype=torch.float32))
    return counter.get_total_flops()


def test_weights_of_random_networks_are_counted_exactly():
    for seed in range(40):
        spec = random_spec(seed)
        assert parameters(spec) == sum(p.numel() for p in build(spec, 0).parameters()), seed


def test_operations_of_every_block_are_those_that_torch_counts():
    for name, kind, args in variants():
        if name not in UNSEEN:
            spec = one_block(name, kind, args)
            assert flops(spec) == counted(spec), (name, kind, args)


def test_operations_of_random_networks_are_those_that_torch_counts():
    for seed in range(40):
        spec = random_spec(seed)
        if not any(block.block in UNSEEN for block in spec.blocks):
            assert flops(spec) == counted(spec), seed


def test_operations_of_recurrent_layers_are_the_formula():
    time, features, width = 12, 16, 8
    for name, num_gates in (("lstm", 4), ("gru", 3)):
        one_way = 2 * time * num_gates * width * (features + width)
        assert flops(one_block(name, "series", {"width": width})) == one_way
        assert flops(one_block(name, "series", {"width": width, "bidirectional": True})) == 2 * one_way


def test_steps_of_recurrences_add_up_and_other_layers_have_none():
    time = 12
    for name in ("lstm", "gru"):
        assert recurrent_steps(one_block(name, "series", {"width": 8})) == time
        assert recurrent_steps(one_block(name, "series", {"width": 8, "bidirectional": True})) == 2 * time
    assert recurrent_steps(one_block("transformer", "series", {})) == 0
