"""Both worlds are the usual fit: the same code, steps and starts; only the examples differ."""

from dataclasses import replace

import numpy as np
import pytest

from pomona.fit.evaluate import place_of
from pomona.fit.extension import Extension
from pomona.fit.feeds import read_all, to_tensors
from pomona.fit.loop import fit
from pomona.fit.settings import FitSettings
from pomona.foundation.errors import Interrupted
from pomona.foundation.run import open_run, temporary_run
from pomona.networks.build import build
from pomona.networks.spec import Block, Spec
from pomona.question.bootstrap.errors import errors
from pomona.question.bootstrap.supply import held_examples, real_world
from pomona.question.bootstrap.two_worlds import two_worlds
from pomona.question.bootstrap.worlds import WORLDS
from pomona.tasks.source import FiniteSource, SubsetSource

WORLD = WORLDS["mixture"].make(seed=0)
SPEC = Spec(
    WORLD.inputs,
    (
        Block("body", "dense", {"width": 16, "activation": "gelu"}, ("point",)),
        Block("head", "head", {"shape": (2,)}, ("body",)),
    ),
    {"side": "head"},
)
COURSE = FitSettings(steps=30, batch_size=32, keep="last", precision="float64")
SIZES, SEEDS = (100, 300), (11, 5)


def found(settings=COURSE, *, run=None, name="worlds", **options):
    options = {"num_points": 6, "num_test": 200} | options
    if run is not None:
        return two_worlds(WORLD, SPEC, settings, SIZES, SEEDS, run=run, name=name, **options)
    with temporary_run(seed=1, threads=1) as run:
        return two_worlds(WORLD, SPEC, settings, SIZES, SEEDS, run=run, name=name, **options)


def alone(task, seed):
    """The soft error of an ordinary fit on the same test examples."""
    with temporary_run(seed=seed, threads=1) as run:
        result = fit(task, SPEC, COURSE, run=run, name="worlds")
    network = build(SPEC, 0).double()
    network.load_state_dict(result.state)
    source = held_examples(WORLD, 200, seed)
    return errors(network, to_tensors(read_all(source), WORLD, place_of(network)), "side")


@pytest.fixture(scope="module")
def curves():
    return found()


def test_every_member_of_both_worlds_is_an_ordinary_fit(curves):
    for row, seed in enumerate(SEEDS):
        soft, hard = alone(WORLD, seed)
        assert curves.ideal[row, -1] == pytest.approx(soft, abs=1e-9)
        assert curves.ideal_hard[row, -1] == pytest.approx(hard)
        for size in SIZES:
            soft, _ = alone(real_world(WORLD, size, seed), seed)
            assert curves.real[size][row, -1] == pytest.approx(soft, abs=1e-9)


def test_both_worlds_begin_with_the_same_weights():
    still = replace(COURSE, learning_rate=1e-12, steps=2, weight_decay=0.0)
    curves = found(still)
    for size in SIZES:
        np.testing.assert_allclose(curves.real[size], curves.ideal, atol=1e-8)
    assert abs(curves.ideal[0, 0] - curves.ideal[1, 0]) > 1e-4


def test_curves_hold_every_moment_of_every_member(curves):
    assert curves.steps.tolist() == [1, 5, 10, 20, 30]
    for array in (curves.ideal, *curves.real.values(), *curves.train_error.values()):
        assert array.shape == (2, 5)
        assert np.isfinite(array).all()


def test_few_examples_are_learned_by_heart_and_many_are_the_ideal_world():
    course = FitSettings(steps=400, batch_size=64, keep="last", learning_rate=0.01)
    with temporary_run(seed=1, threads=1) as run:
        sizes = (100, 25_600)
        curves = two_worlds(WORLD, SPEC, course, sizes, (1, 2, 3), run=run, num_points=6, num_test=1000)
    assert curves.train_error[100][:, -1].max() <= 0.01
    few, many = ((curves.real[size] - curves.ideal)[:, -1].mean() for size in sizes)
    assert few > 0.05
    assert abs(many) < 0.02


def test_smaller_real_worlds_are_the_beginning_of_larger_ones():
    small, large = (real_world(WORLD, size, 7).splits["train"] for size in (150, 1000))
    assert isinstance(small, FiniteSource)
    assert isinstance(large, FiniteSource)
    some = np.arange(150)
    np.testing.assert_array_equal(small.read(some)["point"], large.read(some)["point"])
    other = real_world(WORLD, 150, 8).splits["train"]
    assert not np.array_equal(small.read(some)["point"], other.read(some)["point"])


def test_a_world_with_an_end_gives_each_seed_its_own_part():
    whole = real_world(WORLD, 1000, 7)
    parts = [real_world(whole, 200, seed).splits["train"] for seed in (1, 2)]
    assert all(isinstance(part, SubsetSource) and part.size == 200 for part in parts)
    assert len(np.unique(parts[0].ids)) == 200
    assert set(parts[0].ids) != set(parts[1].ids)


def test_a_stopped_comparison_goes_on_to_the_same_curves(tmp_path, curves):
    options = {"verb": "bootstrap", "subject": "mixture", "identity": {}, "seed": 1, "threads": 1}
    with open_run(tmp_path / "run", **options) as run:

        def stop(step, network, evaluation):
            run.clock.interrupted = run.clock.interrupted or step >= 10
            return ""

        with pytest.raises(Interrupted):
            found(run=run, extension=Extension(watch=stop))
    with open_run(tmp_path / "run", **options) as run:
        again = found(run=run)
    np.testing.assert_allclose(again.ideal, curves.ideal, atol=1e-9)
    for size in SIZES:
        np.testing.assert_allclose(again.real[size], curves.real[size], atol=1e-9)
        np.testing.assert_allclose(again.train_error[size], curves.train_error[size])
