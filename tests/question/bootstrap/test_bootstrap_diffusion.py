"""The diffusion world draws what it was fitted to, freshly, and says when it only copies."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.foundation.run import temporary_run
from pomona.question.bootstrap.worlds.diffusion.denoising import WAVES, denoise_task
from pomona.question.bootstrap.worlds.diffusion.sampling import sample
from pomona.question.bootstrap.worlds.diffusion.world import diffusion
from pomona.tasks import load_task
from pomona.tasks.batch import check_batch, join_batches
from pomona.tasks.source import ArraySource
from pomona.tasks.splits import content_keys

DEVIATION, MEAN = 0.5, 0.3


class BestGuess(nn.Module):
    """The exact velocity for examples that are normal with MEAN and DEVIATION, in closed form."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self, inputs):
        # the level is told by sin and cos of 1 × itself, the slowest of the waves
        level = torch.atan2(inputs["level"][:, 0], inputs["level"][:, WAVES])[:, None]
        clean, dirty = torch.cos(level * math.pi / 2), torch.sin(level * math.pi / 2)
        variance = (clean * DEVIATION) ** 2 + dirty**2
        away = inputs["noisy"] - clean * MEAN
        x = MEAN + clean * DEVIATION**2 / variance * away
        noise = dirty / variance * away
        return {"velocity": clean * noise - dirty * x}


def test_with_the_exact_velocity_samples_have_the_distribution_of_the_examples():
    wide = np.full(3, 9.0)
    found = sample(BestGuess(), np.random.default_rng(0), 10_000, -wide, wide)
    assert found.mean(0) == pytest.approx(np.full(3, MEAN), abs=0.02)
    assert found.std(0) == pytest.approx(np.full(3, DEVIATION), rel=0.04)
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(0, abs=0.03)
    tails = ((found[:, 0] - found[:, 0].mean()) / found[:, 0].std()) ** 4
    assert tails.mean() == pytest.approx(3, abs=0.2)


def test_the_velocity_gives_back_example_and_noise():
    examples = np.random.default_rng(0).normal(size=(50, 4))
    batch = denoise_task(examples, "x", seed=0).splits["train"].draw(stream(0, "draw"), 200)
    level = np.arctan2(batch["level"][:, :1], batch["level"][:, WAVES : WAVES + 1])
    clean, dirty = np.cos(level * np.pi / 2), np.sin(level * np.pi / 2)
    x = clean * batch["noisy"] - dirty * batch["velocity"]
    distances = np.abs(x[:, None] - examples).max(2).min(1)
    assert distances.max() < 1e-5


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A world of digits from little training: enough for its form."""
    with pytest.MonkeyPatch.context() as patch, temporary_run(seed=0, threads=1) as run:
        patch.setenv("POMONA_CACHE", str(tmp_path_factory.mktemp("cache")))
        short = FitSettings(steps=40, batch_size=64, learning_rate=2e-3, weight_decay=0.0, keep="last")
        return diffusion(
            load_task("digits"), run=run, course=short, teacher=FitSettings(steps=30, batch_size=32)
        )


def test_no_two_draws_repeat_and_equal_generators_draw_equally(world):
    source = world.splits["train"]
    draws = [source.draw(stream(0, "draw", index), 300) for index in range(3)]
    assert len(np.unique(content_keys(join_batches(draws)))) == 900
    again = source.draw(stream(0, "draw", 0), 300)
    np.testing.assert_array_equal(again["image"], draws[0]["image"])
    np.testing.assert_array_equal(again["digit"], draws[0]["digit"])


def test_it_is_the_task_with_other_examples(world):
    digits = load_task("digits")
    batch = world.splits["train"].draw(stream(1, "draw"), 100)
    check_batch(batch, {**digits.inputs, **digits.targets})
    assert world.inputs == digits.inputs
    assert world.targets == digits.targets
    assert world.fingerprint != digits.fingerprint
    assert any("teacher's accuracy" in note for note in world.notes)


def test_weights_in_the_cache_are_used_again(tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    short = FitSettings(steps=3, batch_size=32, keep="last")
    draws = []
    for _ in range(2):
        with temporary_run(seed=0, threads=1) as run:
            made = diffusion(load_task("digits"), run=run, course=short, teacher=short)
        draws.append(made.splits["train"].draw(stream(0, "draw"), 20)["image"])
        kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "worlds").iterdir()}
        assert len(kept) == 2
        draws.append(kept)
    np.testing.assert_array_equal(draws[0], draws[2])
    assert draws[1] == draws[3]


def test_a_model_that_copies_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("POMONA_CACHE", str(tmp_path))
    digits = load_task("digits")
    few = ArraySource(digits.splits["train"].read(np.arange(2)))
    copying = replace(digits, splits={**digits.splits, "train": few})
    course = FitSettings(steps=200, batch_size=32, learning_rate=3e-3, weight_decay=0.0, keep="last")
    with (
        temporary_run(seed=0, threads=1) as run,
        pytest.raises(DataError, match="gives back what it was fitted"),
    ):
        diffusion(copying, run=run, course=course, teacher=FitSettings(steps=2, batch_size=2))


@pytest.mark.parametrize("name", ["clinc150", "two-digits"])
def test_tasks_that_it_cannot_draw_are_refused(name):
    pytest.importorskip("pyarrow")
    with temporary_run(seed=0, threads=1) as run, pytest.raises(DataError, match="the world diffusion"):
        diffusion(load_task(name), run=run)
