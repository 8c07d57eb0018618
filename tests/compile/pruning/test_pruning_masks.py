"""Masks, schedules and allocations are what independent code says they are."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune as torch_prune

from pomona.compile.pruning.allocation import erk, uniform
from pomona.compile.pruning.latency import cheapest_within
from pomona.compile.pruning.masked import pruning
from pomona.compile.pruning.methods import METHODS, Moment, span
from pomona.compile.pruning.patterns import Pattern, kept, pattern_named
from pomona.compile.pruning.schedule import bounds, cosine, cubic, update_step
from pomona.compile.pruning.settings import PruneSettings
from pomona.foundation.errors import SettingError


def weight(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def moment(values: torch.Tensor, **changes) -> Moment:
    fields = {
        "weight": values, "gradient": None, "mask": torch.ones_like(values, dtype=torch.bool),
        "density": 0.25, "pattern": Pattern(), "progress": 0.0, "drop": 0.3, "generator": torch.Generator(),
    }  # fmt: skip
    return Moment(**{**fields, **changes})


def test_magnitude_ends_early_exchanges_late_and_the_user_decides():
    assert [span(PruneSettings(method=name))[1] for name in ("magnitude", "rigl", "set")] == [0.3, 0.7, 0.7]
    assert span(PruneSettings(start=0.1, end=0.9)) == (0.1, 0.9)
    with pytest.raises(SettingError, match=r"below 0\.3, the end of magnitude, got 0\.5: give --end"):
        span(PruneSettings(start=0.5))


def test_with_the_usual_settings_zeros_are_settled_in_the_first_third():
    weights = {"layer": weight(3, 20, 30).float()}
    held = pruning({"layer": 0.2}, PruneSettings(), has_weights=True).constrain(weights, 0)
    masks = []
    for step in range(100):
        held.before(weights, {"layer": torch.ones(20, 30)}, step, 100)
        masks.append(held.tensors()["layer"])
    kept_shares = [float(mask.float().mean()) for mask in masks]
    assert kept_shares[0] == 1
    assert kept_shares[15] > 0.25 > kept_shares[30] == pytest.approx(0.2)
    assert all(mask.equal(masks[30]) for mask in masks[30:])


@pytest.mark.parametrize("sparsity", [0.0, 0.3, 0.8, 0.95])
def test_the_largest_are_those_that_torch_keeps(sparsity):
    layer = nn.Conv2d(6, 10, 3, dtype=torch.float64)
    nn.init.normal_(layer.weight, generator=torch.Generator().manual_seed(1))
    ours = METHODS["one-shot"].start(moment(layer.weight.detach(), density=1 - sparsity))
    torch_prune.l1_unstructured(layer, "weight", amount=sparsity)
    assert torch.equal(ours, layer.weight_mask.bool())


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 9), columns=st.integers(1, 7), block=st.sampled_from([2, 4]),
    density=st.floats(0, 1), seed=st.integers(0, 99),
)  # fmt: skip
def test_blocks_are_whole_and_the_best_ones(rows, columns, block, density, seed):
    scores = weight(seed, rows, columns).square()
    mask = kept(scores, density, Pattern(block=block)).numpy()
    means = {
        (top, column): scores[top : top + block, column].mean().item()
        for top in range(0, rows, block)
        for column in range(columns)
    }
    wanted = sorted(means, key=means.__getitem__, reverse=True)[: round(density * len(means))]
    brute = np.zeros((rows, columns), bool)
    for top, column in wanted:
        brute[top : top + block, column] = True
    assert np.array_equal(mask, brute)


@settings(max_examples=40, deadline=None)
@given(
    outputs=st.integers(1, 5), inputs=st.integers(1, 11), kernel=st.sampled_from([(), (1, 1), (2, 3)]),
    shape=st.sampled_from([(2, 4), (1, 4), (1, 3)]), seed=st.integers(0, 99),
)  # fmt: skip
def test_n_of_m_inputs_are_kept_and_no_choice_is_better(outputs, inputs, kernel, shape, seed):
    keep, of = shape
    scores = weight(seed, outputs, inputs, *kernel).square()
    mask = kept(scores, keep / of, Pattern(keep=keep, of=of))
    rows = scores.reshape(outputs, inputs, -1)
    kept_rows = mask.reshape(outputs, inputs, -1)
    for output, place in itertools.product(range(outputs), range(rows.shape[2])):
        for start in range(0, inputs, of):
            group = rows[output, start : start + of, place]
            chosen = kept_rows[output, start : start + of, place]
            count = -(-len(group) * keep // of)
            assert int(chosen.sum()) == count
            best = max(sum(one) for one in itertools.combinations(group.tolist(), count))
            assert group[chosen].sum().item() == pytest.approx(best)


def test_on_the_way_to_a_pattern_only_what_it_removes_is_removed():
    scores, pattern = weight(3, 8, 16).square(), Pattern(keep=2, of=4)
    final = kept(scores, 0.5, pattern)
    for density in (0.9, 0.7, 0.55):
        mask = kept(scores, density, pattern)
        assert int(mask.sum()) == round(density * mask.numel())
        assert bool((mask | ~final).all())
        assert scores[~mask].max() <= scores[mask & ~final].min()


@pytest.mark.parametrize("text", ["3", "2:2", "0x1", "x1", "1x2", "4:2", "2:4:8", ""])
def test_a_pattern_that_is_none_is_refused(text):
    with pytest.raises(SettingError, match="pattern"):
        pattern_named(text)


def test_the_schedule_is_the_closed_form():
    for progress in np.linspace(0, 1, 11):
        assert cubic(0.8, progress) == pytest.approx(0.8 - 0.8 * (1 - progress) ** 3)
        assert cubic(0.8, progress, initial=0.2) == pytest.approx(0.8 + (0.2 - 0.8) * (1 - progress) ** 3)
        assert cosine(0.3, progress) == pytest.approx(0.15 * (1 + np.cos(np.pi * progress)))
    assert cubic(0.8, 2.0) == 0.8
    assert cosine(0.3, 1.0) == pytest.approx(0.0)


@settings(max_examples=60, deadline=None)
@given(
    num_steps=st.integers(1, 3000), start=st.floats(0, 0.5), length=st.floats(0.01, 0.5),
    updates=st.integers(1, 100),
)  # fmt: skip
def test_zeros_are_decided_at_both_ends_and_evenly_between(num_steps, start, length, updates):
    when = {"start": start, "end": start + length}
    steps = [s for s in range(num_steps) if update_step(s, num_steps, **when, updates=updates)]
    first, last = bounds(num_steps, **when)
    assert steps[0] == first
    assert steps[-1] == last < num_steps
    assert len(set(np.diff(steps)[:-1])) <= 1


def brute_force_erk(shapes, sparsity):
    """The scale by bisection on the number of weights that are kept."""
    sizes = {name: np.prod(shape) for name, shape in shapes.items()}
    wanted = (1 - sparsity) * sum(sizes.values())

    def densities(scale):
        return {name: min(1.0, scale * sum(shape) / sizes[name]) for name, shape in shapes.items()}

    low, high = 0.0, 1e9
    for _ in range(200):
        middle = (low + high) / 2
        total = sum(sizes[name] * density for name, density in densities(middle).items())
        low, high = (middle, high) if total < wanted else (low, middle)
    return densities(high)


@settings(max_examples=50, deadline=None)
@given(
    shapes=st.lists(
        st.tuples(st.integers(1, 300), st.integers(1, 300), st.sampled_from([1, 3]), st.just(1)),
        min_size=1, max_size=8,
    ),
    sparsity=st.floats(0.0, 0.99),
)  # fmt: skip
def test_erdos_renyi_shares_are_those_of_a_bisection(shapes, sparsity):
    named = {str(place): shape for place, shape in enumerate(shapes)}
    found, wanted = erk(named, sparsity), brute_force_erk(named, sparsity)
    for name in named:
        assert found[name] == pytest.approx(wanted[name], rel=1e-6, abs=1e-9)
    assert uniform(named, sparsity) == dict.fromkeys(named, 1 - sparsity)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), layers=st.integers(1, 4))
def test_layers_within_a_budget_of_time_lose_little_more_than_the_best_choice(seed, layers):
    generator = np.random.default_rng(seed)
    times = -np.sort(-generator.random((layers, 5)), axis=1)
    losses = np.sort(generator.random((layers, 5)), axis=1)
    start = np.full(layers, 2)
    budget = times[:, 2].sum()
    rows = np.arange(layers)
    picked = cheapest_within(times, losses, budget, start=start)
    assert times[rows, picked].sum() <= budget * (1 + 1e-9)
    assert losses[rows, picked].sum() <= losses[:, 2].sum()
    best = min(
        losses[rows, list(one)].sum()
        for one in itertools.product(range(5), repeat=layers)
        if times[rows, list(one)].sum() <= budget
    )
    # what a price of time cannot express is at most one layer's step
    assert losses[rows, picked].sum() <= best + np.diff(losses, axis=1).max() + losses.max() * 0.5


def brute_force_rigl(values, gradient, mask, share):
    """Algorithm 1 on lists."""
    active = [place for place in range(values.size) if mask[place]]
    num = round(share * len(active))
    stays = sorted(active, key=lambda place: -abs(values[place]))[: len(active) - num]
    others = [place for place in range(values.size) if place not in stays]
    grown = sorted(others, key=lambda place: -abs(gradient[place]))[:num]
    found = np.zeros(values.size, bool)
    found[[*stays, *grown]] = True
    return found


@pytest.mark.parametrize("progress", [0.0, 0.4, 1.0])
def test_rigl_drops_the_smallest_and_grows_the_steepest(progress):
    mask = weight(5, 7, 9) > 0.4
    values, gradient = weight(6, 7, 9) * mask, weight(7, 7, 9)
    found = METHODS["rigl"].update(moment(values, gradient=gradient, mask=mask, progress=progress))
    flat = [one.reshape(-1).numpy() for one in (values, gradient, mask)]
    assert np.array_equal(found.reshape(-1).numpy(), brute_force_rigl(*flat, cosine(0.3, progress)))


@pytest.mark.parametrize("method", ["rigl", "set"])
@pytest.mark.parametrize("block", [1, 2, 4])
def test_exchanging_keeps_the_number_of_blocks(method, block):
    start = METHODS[method].start(moment(weight(1, 10, 6), pattern=Pattern(block=block)))
    generator = torch.Generator().manual_seed(1)
    changes = {"gradient": weight(8, 10, 6), "mask": start, "pattern": Pattern(block=block), "drop": 1.0}
    found = METHODS[method].update(moment(weight(2, 10, 6) * start, generator=generator, **changes))
    heads = slice(0, None, block)
    assert int(found[heads].sum()) == int(start[heads].sum())
    assert not torch.equal(found, start)
    for top in range(0, 10, block):
        assert bool((found[top : top + block] == found[top]).all())
