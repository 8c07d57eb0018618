"""Self-attention against torch's own module and against the definition."""

import torch
from torch import nn

from pomona.nn.attention import SelfAttention
from pomona.nn.positions import Positions, Rotation, sines


def test_without_rotation_it_is_torchs_multi_head_attention():
    torch.manual_seed(0)
    ours = SelfAttention(12, 3, 4, num_steps=None).double()
    torchs = nn.MultiheadAttention(12, 3, batch_first=True).double()
    torchs.load_state_dict(
        {
            "in_proj_weight": ours.project_in.weight,
            "in_proj_bias": ours.project_in.bias,
            "out_proj.weight": ours.project_out.weight,
            "out_proj.bias": ours.project_out.bias,
        }
    )
    x = torch.randn(4, 7, 12, dtype=torch.float64)
    mask = torch.arange(7) < torch.tensor([7, 5, 2, 1])[:, None]
    expected, _ = torchs(x, x, x, key_padding_mask=~mask)
    torch.testing.assert_close(ours(x, mask)[mask], expected[mask], rtol=1e-10, atol=1e-12)
    ours.causal = True
    expected, _ = torchs(x, x, x, attn_mask=torch.ones(7, 7, dtype=torch.bool).triu(1))
    torch.testing.assert_close(ours(x), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(ours(x, torch.ones(4, 7, dtype=torch.bool)), expected, rtol=1e-10, atol=1e-12)


def test_a_series_without_a_real_step_stays_finite():
    layer = SelfAttention(8, 2, 4, num_steps=5)
    x = torch.randn(2, 5, 8, requires_grad=True)
    y = layer(x, torch.zeros(2, 5, dtype=torch.bool))
    y.sum().backward()
    assert torch.isfinite(y).all()
    assert torch.isfinite(x.grad).all()


def test_rotated_products_depend_on_the_distance_alone():
    rotation = Rotation(20, 8).double()
    query, key = torch.randn(2, 8, dtype=torch.float64)
    turned_query, turned_key = (rotation(v.expand(20, 8)) for v in (query, key))
    products = turned_query @ turned_key.T
    for distance in range(-5, 6):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(turned_query.norm(dim=1), query.norm().expand(20), rtol=1e-6, atol=1e-6)
    assert products.std() > 0.1


def test_sines_are_those_of_the_paper():
    table = sines(10, 6)
    for step in range(10):
        for pair in range(3):
            angle = torch.tensor(step / 10_000 ** (pair / 3))
            torch.testing.assert_close(table[step, 2 * pair], angle.sin(), rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(table[step, 2 * pair + 1], angle.cos(), rtol=1e-5, atol=1e-5)
    assert sines(4, 5).shape == (4, 5)
    assert Positions("sine", 10, 6)(torch.zeros(1, 3, 6)).equal(table[None, :3])
