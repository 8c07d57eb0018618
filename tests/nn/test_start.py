"""How weights start: by their own name alone, at the right scale."""

import torch
from torch import nn

from pomona.nn.attention import SelfAttention
from pomona.nn.chain import Chain
from pomona.nn.head import Head
from pomona.nn.leaves import LEAVES
from pomona.nn.scale import Scale
from pomona.nn.shortcut import Shortcut
from pomona.nn.start import STARTS, initialise


def started(module, seed=0, name="block"):
    initialise(module, seed, name)
    return module


def test_every_leaf_has_a_start():
    assert set(STARTS) == set(LEAVES)


def test_a_weight_depends_on_its_name_and_seed_only():
    short = started(Chain(nn.Linear(8, 8), nn.ReLU()))
    long = started(Chain(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4)))
    assert torch.equal(short[0].weight, long[0].weight)
    assert not torch.equal(short[0].weight, started(Chain(nn.Linear(8, 8)), seed=1)[0].weight)
    assert not torch.equal(short[0].weight, started(Chain(nn.Linear(8, 8)), name="other")[0].weight)
    assert not torch.equal(long[0].weight[:4], long[2].weight)


def test_the_global_generator_is_not_used():
    module = Chain(nn.Conv2d(3, 8, 3), nn.LSTM(4, 5), nn.Embedding(6, 7), SelfAttention(8, 2, 4, num_steps=3))
    before = torch.random.get_rng_state()
    initialise(module, 0)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_variance_is_kept_through_layers_with_relu():
    layers = started(nn.Sequential(*[part for _ in range(10) for part in (nn.Linear(256, 256), nn.ReLU())]))
    x = torch.randn(512, 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert 0.5 < float(layers(x).square().mean() / x.square().mean()) < 2


def test_branches_start_at_zero_and_heads_near_it():
    branch = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.Dropout(0.1))
    x = torch.randn(4, 8)
    assert torch.equal(started(Shortcut(branch)).eval()(x), x)
    assert branch[0].weight.abs().sum() > 0
    assert started(Head(64, (10,)))(torch.randn(100, 64)).abs().max() < 1
    assert torch.equal(started(Scale(8))(x), torch.zeros_like(x))


def test_recurrent_layers_start_orthogonal_with_open_forget_gates():
    lstm = started(nn.LSTM(3, 5))
    for gate in range(4):
        square = lstm.weight_hh_l0[5 * gate : 5 * gate + 5]
        torch.testing.assert_close(square @ square.T, torch.eye(5), rtol=1e-5, atol=1e-5)
    assert torch.equal(lstm.bias_ih_l0 + lstm.bias_hh_l0, torch.tensor([0.0] * 5 + [1.0] * 5 + [0.0] * 10))


def test_parameters_of_unknown_modules_are_left_alone():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.own = nn.Parameter(torch.full((3,), 7.0))
            self.linear = nn.Linear(3, 3)

    module = started(Own())
    assert torch.equal(module.own, torch.full((3,), 7.0))
    assert torch.equal(module.linear.bias, torch.zeros(3))
