"""One equals many: whatever way members are run, each gets what it gets alone, and none disturbs another."""

import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad

from pomona.fit.population import each, fastest, join, pick, size, spread, summarise
from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.run import temporary_run

WAYS = ("loop", "chunk:1", "chunk:2", "chunk:3", "vmap", "auto")


def body():
    return nn.Sequential(nn.Linear(3, 5), nn.LayerNorm(5), nn.Tanh(), nn.Linear(5, 2)).double()


def state(seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        for name, tensor in body().state_dict().items()
    }


BODY = body()


def gradient(weights, x):
    def loss(weights):
        return functional_call(BODY, weights, (x,)).square().mean()

    return grad(loss)(weights)


@pytest.mark.parametrize("how", WAYS)
def test_each_member_gets_what_it_gets_alone(how):
    population = spread(state, range(5))
    x = torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = each(gradient, population, x, how=how)
    for member in range(5):
        for name, wanted in gradient(state(member), x[member]).items():
            torch.testing.assert_close(found[name][member], wanted, rtol=0, atol=1e-12)


def test_members_of_different_seeds_differ():
    population = spread(state, [3, 4])
    assert size(population) == 2
    for leaf in population.values():
        assert not torch.equal(leaf[0], leaf[1])
    for name, leaf in pick(population, 1).items():
        assert torch.equal(leaf, state(4)[name])


@pytest.mark.parametrize("how", WAYS)
def test_a_nan_member_leaves_the_others_alone(how):
    population = spread(state, range(4))
    x = torch.ones(4, 2, 3, dtype=torch.float64)
    wanted = each(gradient, population, x, how=how)
    population["0.weight"][2] = torch.nan
    found = each(gradient, population, x, how=how)
    for name in wanted:
        assert found[name][2].isnan().any()
        torch.testing.assert_close(found[name][[0, 1, 3]], wanted[name][[0, 1, 3]], rtol=0, atol=1e-12)


@pytest.mark.parametrize("how", ["loop", "chunk:2", "vmap"])
def test_random_layers_draw_differently_for_every_member(how):
    found = each(lambda x: nn.functional.dropout(x), torch.ones(4, 100), how=how)
    assert all(not torch.equal(found[a], found[b]) for a in range(4) for b in range(a))


def test_trees_of_any_form_go_in_and_out():
    found = each(
        lambda tree: (tree["a"][0] + 1, {"b": tree["a"][1]}),
        {"a": [torch.arange(3.0), torch.ones(3, 2)]},
        how="vmap",
    )
    assert found[0].tolist() == [1, 2, 3]
    assert found[1]["b"].shape == (3, 2)


def test_recurrent_members_fall_back_to_what_works():
    module = nn.GRU(2, 3, batch_first=True)
    population = spread(lambda seed: {k: v.detach() + seed for k, v in module.named_parameters()}, range(3))
    x = torch.ones(3, 4, 5, 2)

    def run(weights, x):
        return functional_call(module, weights, (x,))[0]

    assert fastest(run, population, x) == "loop"
    assert each(run, population, x).shape == (3, 4, 5, 3)
    with pytest.raises(RuntimeError, match="atching rule"):
        each(run, population, x, how="vmap")


def test_an_error_of_the_function_is_not_taken_for_one_of_vmap():
    def broken(x):
        raise RuntimeError("a real mistake")

    with pytest.raises(RuntimeError, match="a real mistake"):
        each(broken, torch.ones(3))


def test_a_failing_member_is_named_by_the_loop():
    def fails(x):
        if x.item() == 2:
            raise ValueError("no")
        return x

    with pytest.raises(ValueError, match="no") as caught:
        each(fails, torch.arange(4.0), how="loop")
    assert caught.value.__notes__ == ["member 2"]


def test_the_way_is_decided_once_a_run():
    with temporary_run(threads=1) as run:
        population, x = spread(state, range(3)), torch.ones(3, 2, 3, dtype=torch.float64)
        each(gradient, population, x, run=run, key="test")
        (line,) = (run.folder / "decisions.jsonl").read_text().splitlines()
        decision = json.loads(line)
        assert decision["kind"] == "how a population is run"
        assert decision["value"] in ("loop", "vmap")
        calls = []
        each(lambda w, x: calls.append(1) or gradient(w, x), population, x, run=run, key="test")
        assert len(calls) == (3 if decision["value"] == "loop" else 1)


def test_timing_leaves_the_generator_as_it_was():
    before = torch.get_rng_state()
    fastest(lambda x: nn.functional.dropout(x), torch.ones(9, 4))
    assert torch.equal(torch.get_rng_state(), before)


def test_members_of_unequal_shape_are_refused_with_the_leaf():
    with pytest.raises(DataError, match=r"'deep'.*\(3,\).*member 1.*\(2,\)"):
        join([{"deep": {"w": torch.ones(2)}}, {"deep": {"w": torch.ones(3)}}])
    with pytest.raises(DataError, match="float64"):
        join([torch.ones(2), torch.ones(2).double()])
    with pytest.raises(DataError, match="member 1 has other leaves"):
        join([{"a": torch.ones(1)}, {"b": torch.ones(1)}])
    with pytest.raises(DataError, match="at least one member"):
        join([])


@pytest.mark.parametrize("how", ["chunk", "chunk:0", "chunk:x", "all"])
def test_an_unknown_way_is_refused(how):
    with pytest.raises(SettingError, match="how must be"):
        each(lambda x: x, torch.ones(2), how=how)


def test_a_summary_states_what_failed_members_do():
    values = [1.0, np.nan, 3.0, 100.0]
    left = summarise(values, [True, True, True, False])
    assert (left.mean, left.low, left.high, left.num_members, left.num_failed) == (2.0, 1.0, 3.0, 2, 2)
    assert left.deviation == pytest.approx(np.sqrt(2))
    assert np.isnan(summarise(values, on_failed="nan").mean)
    assert summarise([1.0, 3.0], on_failed="nan").mean == 2
    with pytest.raises(DataError, match="members 1 failed"):
        summarise(values, on_failed="raise")
    assert np.isnan(summarise([np.nan]).mean)
    with pytest.raises(SettingError, match="leave-out"):
        summarise(values, on_failed="ignore")
