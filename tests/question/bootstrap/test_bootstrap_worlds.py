"""Worlds draw for ever and never the same; what is not such a world is refused."""

import numpy as np
import pytest

from pomona.fit.settings import FitSettings
from pomona.foundation.errors import DataError, SettingError
from pomona.foundation.randomness import stream
from pomona.question.bootstrap.checks import check_world
from pomona.question.bootstrap.settings import BootstrapSettings
from pomona.question.bootstrap.worlds import WORLDS
from pomona.question.bootstrap.worlds.drawn_task import redrawn
from pomona.question.bootstrap.worlds.mixture import (
    DISTANCE,
    bayes_error,
    bayes_soft_error,
    odd_probability,
)
from pomona.question.bootstrap.worlds.opening import opening
from pomona.question.bootstrap.worlds.user_file import file_task, task_from_file
from pomona.tasks import load_task
from pomona.tasks.batch import check_batch, join_batches
from pomona.tasks.options import DataOptions
from pomona.tasks.splits import content_keys

STANDING_ALONE = [name for name, world in WORLDS.items() if not world.of_task]


@pytest.mark.parametrize("name", STANDING_ALONE)
def test_no_two_draws_of_a_world_repeat(name):
    source = WORLDS[name].make(seed=3).splits["train"]
    draws = [source.draw(stream(0, "draw", index), 1000) for index in range(6)]
    keys = content_keys(join_batches(draws))
    assert len(np.unique(keys)) == 6000


@pytest.mark.parametrize("name", STANDING_ALONE)
def test_a_world_is_a_task_that_follows_from_its_generator(name):
    task, again = WORLDS[name].make(seed=3), WORLDS[name].make(seed=3)
    batch = task.splits["train"].draw(stream(1, "draw"), 500)
    check_batch(batch, {**task.inputs, **task.targets})
    for key, values in again.splits["train"].draw(stream(1, "draw"), 500).items():
        np.testing.assert_array_equal(values, batch[key])
    target = next(iter(task.targets))
    assert set(batch[target]) == set(range(len(task.targets[target].classes)))
    assert task.fingerprint == again.fingerprint
    assert task.splits["train"].size is None


def test_the_mixture_has_the_error_that_it_names():
    generator = np.random.default_rng(5)
    corners = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]]) * DISTANCE
    cloud = generator.integers(0, 4, 400_000)
    points = corners[cloud] + generator.standard_normal((len(cloud), 2))
    densities = np.exp(-0.5 * ((points[:, None] - corners) ** 2).sum(-1))
    odd = densities[:, 2:].sum(1) / densities.sum(1)
    np.testing.assert_allclose(odd_probability(points), odd, atol=1e-12)
    is_odd = cloud >= 2
    assert np.mean((odd > 0.5) != is_odd) == pytest.approx(bayes_error(), abs=0.002)
    assert np.mean(np.where(is_odd, 1 - odd, odd)) == pytest.approx(bayes_soft_error(), abs=0.002)


FILE = """
import numpy as np
TARGET = "kind"
POOL = np.random.default_rng(0).normal(size=({pool}, 4))

def draw(generator, num_examples):
    kind = generator.integers(0, 2, num_examples)
    x = {x}
    return {{"x": x + kind[:, None], "kind": np.where(kind == 1, "b", "a").astype(object)}}
"""
FRESH = "generator.normal(size=(num_examples, 4))"
POOLED = "POOL[generator.integers(0, len(POOL), num_examples)]"
CARELESS = "POOL[:num_examples]"


def written(path, x, pool=10_000):
    file = path / "world.py"
    file.write_text(FILE.format(x=x, pool=pool))
    return file


def test_a_users_file_is_a_world(tmp_path):
    task = file_task(written(tmp_path, FRESH), seed=0)
    assert task.targets["kind"].classes == ("a", "b")
    check_world(task, BootstrapSettings(), FitSettings(steps=10), seed=0)


@pytest.mark.parametrize("x", [POOLED, CARELESS], ids=["a pool", "not by the generator"])
def test_a_world_that_repeats_is_refused(tmp_path, x):
    task = file_task(written(tmp_path, x), seed=0)
    with pytest.raises(DataError, match="repeats itself"):
        check_world(task, BootstrapSettings(), FitSettings(steps=10), seed=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "no function draw"),
        ("1 / 0", "fails: ZeroDivisionError"),
        ("def draw(generator, num_examples):\n    return [1]", "a dict of arrays"),
        ("def draw(generator, num_examples):\n    return missing", "draw fails: NameError"),
        ("import numpy as np\ndef draw(g, n):\n    return {'x': np.zeros((n, 2))}", "must give 'label'"),
        ("import numpy as np\ndef draw(g, n):\n    return {'label': np.arange(n) % 2}", "only the classes"),
        (
            "import numpy as np\ndef draw(g, n):\n    return {'x': np.zeros((5, 2)), 'label': np.zeros(5)}",
            "asked for 2000",
        ),
    ],
)
def test_a_file_that_is_no_world_is_refused(tmp_path, text, message):
    (tmp_path / "world.py").write_text(text)
    with pytest.raises((DataError, SettingError), match=message):
        file_task(tmp_path / "world.py", seed=0)


def test_a_file_can_draw_for_a_task_that_exists(tmp_path):
    file = tmp_path / "wine_world.py"
    file.write_text(
        "def draw(generator, num_examples):\n"
        f"    columns = {[*load_task('wine').preprocessing.columns]!r}\n"
        "    raw = {name: generator.normal(10, 1, num_examples) for name in columns}\n"
        f"    classes = {[*next(iter(load_task('wine').targets.values())).classes]!r}\n"
        f"    raw[{next(iter(load_task('wine').targets))!r}] = generator.choice(classes, num_examples)\n"
        "    return raw\n"
    )
    wine = load_task("wine")
    world = task_from_file(file, wine, seed=0)
    check_batch(world.splits["train"].draw(stream(0, "x"), 8), {**wine.inputs, **wine.targets})
    assert world.preprocessing is wine.preprocessing


def test_a_world_with_other_classes_is_refused():
    digits = load_task("digits")

    def draw(generator, num_examples):
        image = generator.random((num_examples, 8, 8)).astype(np.float32)
        return {"image": image, "digit": generator.choice(["0", "ten"], num_examples).astype(object)}

    with pytest.raises(DataError, match="classes of 'digit' that digits lacks"):
        redrawn(digits, draw, name="other", seed=0)


@pytest.mark.parametrize(
    ("subject", "world", "message"),
    [
        ("glyphs", "mixture", "a world of its own"),
        ("digits", "glyphs", "world that is made from a task"),
        ("nothing", "auto", "no task or file"),
        ("missing.py", "auto", "no file missing.py"),
    ],
)
def test_words_that_mean_no_world_are_refused(subject, world, message):
    with pytest.raises(SettingError, match=message):
        opening(subject, world, "default", data=DataOptions(), settings=FitSettings(), seed=0)
