import pytest
import torch
from torch.nn import functional

from pomona.nn.global_local_attention import GlobalLocalAttention, Structure
from pomona.nn.start import initialise

BATCH, TIME, GLOBAL, WIDTH = 2, 23, 4, 12


def case(seed=0, **settings):
    generator = torch.Generator().manual_seed(seed)
    layer = GlobalLocalAttention(WIDTH, 2, 6, **{"radius": 5, **settings}).double()
    initialise(layer, seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    long = torch.randn(BATCH, TIME, WIDTH, generator=generator, dtype=torch.float64)
    glob = torch.randn(BATCH, GLOBAL, WIDTH, generator=generator, dtype=torch.float64)
    member = torch.randint(0, GLOBAL, (BATCH, TIME), generator=generator)
    member = member[:, None] == torch.arange(GLOBAL)[:, None]
    return layer, long, glob, member, generator


def by_definition(layer, long, glob, structure):
    """One step, one pair at a time."""
    both = torch.cat((long, glob), 1)
    query, key, value = (
        layer.project_in(both).unflatten(2, (3, layer.num_heads, layer.head_width)).permute(2, 0, 3, 1, 4)
    )
    table = layer.relative.weight.unflatten(1, (layer.num_heads, -1))
    most, time = layer.max_distance, long.shape[1]
    out = torch.zeros_like(query)
    for b in range(len(long)):
        for i in range(both.shape[1]):
            found = []
            for j in range(both.shape[1]):
                name, is_read = related(layer, structure, b, i, j, time, most)
                if is_read:
                    found.append((j, name))
            for h in range(layer.num_heads):
                scores = torch.stack(
                    [
                        query[b, h, i] @ key[b, h, j]
                        + query[b, h, i] @ table[name, h]
                        + layer.bias.weight[name, h]
                        for j, name in found
                    ]
                )
                weights = (scores / layer.head_width**0.5).softmax(0)
                out[b, h, i] = weights @ value[b, h, [j for j, _ in found]]
    y = layer.project_out(out.transpose(1, 2).flatten(2))
    return y[:, :time], y[:, time:]


def related(layer, structure, b, i, j, time, most):
    """The id of a pair, and whether i reads j."""
    is_long, to_long = i < time, j < time
    own, other = 2 * most + 1, 2 * most + 2
    real = True
    mask = structure.long_mask if to_long else structure.global_mask
    if mask is not None:
        real = bool(mask[b, j if to_long else j - time])
    if is_long == to_long:
        name = max(-most, min(most, j - i)) + most
        if is_long:
            allowed = abs(i - j) <= layer.radius
            if structure.local_pairs is not None and allowed:
                allowed = bool(structure.local_pairs[b, i, j - i + layer.radius])
        else:
            pairs = structure.global_pairs
            allowed = pairs is None or bool(pairs[b, i - time, j - time])
        return name, i == j or (allowed and real)
    step, group = (i, j - time) if is_long else (j, i - time)
    is_member = bool(structure.member[b, group, step])
    is_hard = layer.hard_up if is_long else layer.hard_down
    return own if is_member else other, real and (is_member or not is_hard)


@pytest.mark.parametrize("settings", [{}, {"hard_down": False}, {"hard_up": True}, {"max_distance": 2}])
def test_it_computes_its_definition_pair_by_pair(settings):
    layer, long, glob, member, generator = case(**settings)
    plain = Structure(member)
    masked = Structure(
        member,
        torch.arange(TIME) < torch.tensor([[TIME], [15]]),
        torch.arange(GLOBAL) < torch.tensor([[GLOBAL], [3]]),
        torch.rand(BATCH, GLOBAL, GLOBAL, generator=generator) < 0.5,
        torch.rand(BATCH, TIME, 11, generator=generator) < 0.7,
    )
    with torch.no_grad():
        for structure in (plain, masked):
            found, wanted = layer(long, glob, structure), by_definition(layer, long, glob, structure)
            for one, other in zip(found, wanted, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-11)


def test_with_a_wide_radius_and_no_positions_it_is_vanilla_attention_over_both():
    layer, long, glob, member, _ = case(radius=TIME, hard_down=False)
    with torch.no_grad():
        layer.relative.weight.zero_()
        layer.bias.weight.zero_()
        found = torch.cat(layer(long, glob, Structure(member)), 1)
        both = torch.cat((long, glob), 1)
        query, key, value = layer.project_in(both).unflatten(2, (3, 2, 6)).permute(2, 0, 3, 1, 4)
        vanilla = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        torch.testing.assert_close(found, layer.project_out(vanilla), rtol=1e-10, atol=1e-12)


def test_what_stands_in_padding_changes_nothing():
    layer, long, glob, member, _ = case()
    long_mask = torch.arange(TIME) < torch.tensor([[TIME], [15]])
    structure = Structure(member & long_mask[:, None], long_mask)
    dirty = long.masked_fill(~long_mask[:, :, None], 1e6)
    with torch.no_grad():
        (y, z), (other, other_z) = layer(long, glob, structure), layer(dirty, glob, structure)
    assert torch.equal(y[long_mask], other[long_mask])
    assert torch.equal(z, other_z)
