"""Augmentation draws from its generator alone, stays within its bounds, and never makes a target wrong."""

from dataclasses import replace

import pytest
import torch

from pomona.fit.augment import AMOUNTS, AUGMENTATIONS, MOVING, augmentation, auto_strength, mix, move
from pomona.fit.settings import FitSettings
from pomona.tasks import load_task
from pomona.tasks.feature import Feature

SHAPES = {"image": (3, 8, 10), "audio": (200,), "series": (30, 9), "vector": (12,), "tokens": (20,)}
TRANSFORMS = [(kind, name) for kind, named in AUGMENTATIONS.items() for name in named]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def inputs(kind, num_examples=6):
    if kind == "tokens":
        tokens = torch.randint(2, 50, (num_examples, *SHAPES[kind]), generator=generator())
        tokens[:, 15:] = 0
        return tokens
    return torch.randn(num_examples, *SHAPES[kind], generator=generator())


@pytest.mark.parametrize(("kind", "name"), TRANSFORMS)
def test_a_transform_keeps_shape_and_type_and_its_argument(kind, name):
    x = inputs(kind)
    before = x.clone()
    varied = AUGMENTATIONS[kind][name](x, generator(), 2.0)
    assert varied.shape == x.shape
    assert varied.dtype == x.dtype
    assert torch.equal(x, before)
    assert not torch.equal(varied, x)
    assert varied.isfinite().all()


@pytest.mark.parametrize(("kind", "name"), TRANSFORMS)
def test_equal_generators_give_equal_inputs_whatever_the_global_one_is(kind, name):
    transform, x = AUGMENTATIONS[kind][name], inputs(kind)
    first = transform(x, generator(3), 1.0)
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(99)
        before = torch.get_rng_state()
        assert torch.equal(transform(x, generator(3), 1.0), first)
        assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(transform(x, generator(4), 1.0), first)


@pytest.mark.parametrize(("kind", "name"), [pair for pair in TRANSFORMS if pair[1] != "mirror"])
def test_an_amount_of_zero_changes_nothing(kind, name):
    x = inputs(kind)
    torch.testing.assert_close(AUGMENTATIONS[kind][name](x, generator(), 0.0), x, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_picture_of_one_colour_stays_as_it_is_when_moved(dtype):
    x = torch.full((4, 1, 9, 7), 0.7, dtype=dtype)
    torch.testing.assert_close(move(x, generator(), 2.0), x)


def test_a_moved_picture_is_where_a_rotation_puts_it(monkeypatch):
    """A quarter turn, by drawing what makes one: compared with the transposed and flipped picture."""
    from pomona.fit import augment

    draws = torch.tensor([90 / 12, 0.0, 0.0, 0.0])[:, None]
    monkeypatch.setattr(
        augment, "_symmetric", lambda x, generator, count: draws.to(x.dtype).expand(count, len(x))
    )
    x = inputs("image")[..., :8]
    torch.testing.assert_close(move(x, generator(), 1.0), x.rot90(1, (2, 3)), atol=1e-5, rtol=1e-5)


def test_padding_stays_padding():
    x = inputs("tokens")
    varied = AUGMENTATIONS["tokens"]["drop_tokens"](x, generator(), 2.0)
    assert (varied[:, 15:] == 0).all()
    assert ((varied == x) | (varied == 1)).all()
    share = (varied[:, :15] == 1).float().mean()
    assert 0.1 < share < 0.35


@pytest.mark.parametrize("name", ["shapes", "tagged-words", "small-grammar", "seasonal-series", "diabetes"])
def test_auto_leaves_alone_what_says_where_or_how_much(name):
    assert augmentation(load_task(name), FitSettings()) is None


@pytest.mark.parametrize("name", ["digits", "digit-properties", "two-digits"])
def test_auto_varies_pictures_of_classes(name):
    task = load_task(name)
    vary = augmentation(task, FitSettings())
    batch = {key: inputs("image")[:, :1, :, :8].clone() for key in task.inputs}
    varied = vary(batch, generator())
    assert all(not torch.equal(varied[key], batch[key]) for key in batch)


def test_nothing_moves_where_the_target_says_where_things_are():
    task = load_task("shapes")
    assert {name for kind in AUGMENTATIONS.values() for name in kind} > set(MOVING)
    vary = augmentation(task, FitSettings(augment="strong", flip=True))
    # one bright pixel: it may be cut or lightened, but it is nowhere else
    image = torch.zeros(5, 1, 32, 32)
    image[:, 0, 4, 20] = 100.0
    varied = vary({"image": image}, generator())["image"]
    elsewhere = varied.clone()
    elsewhere[:, 0, 4, 20] = 0
    assert elsewhere.abs().max() < 10


def test_pictures_are_mirrored_only_when_asked():
    task = load_task("digits")
    names = {f.__name__ for f, _ in _chosen(task, FitSettings(augment="strong"))}
    assert "mirror" not in names
    assert [f.__name__ for f, _ in _chosen(task, FitSettings(augment="none", flip=True))] == ["mirror"]
    x = inputs("image", 400)
    varied = AUGMENTATIONS["image"]["mirror"](x, generator(), 1.0)
    mirrored = (varied == x.flip(3)).flatten(1).all(1)
    assert ((varied == x).flatten(1).all(1) | mirrored).all()
    assert 0.4 < mirrored.float().mean() < 0.6


def test_steps_that_are_not_real_stay_zero():
    task = load_task("digits")
    past = Feature("past", "series", SHAPES["series"], variable=True)
    task = replace(task, inputs={"past": past})
    mask = torch.arange(30) < torch.tensor([30, 12, 7, 3, 1, 25])[:, None]
    x = inputs("series") * mask[:, :, None]
    vary = augmentation(task, FitSettings(augment="strong"))
    varied = vary({"past": x, "past.mask": mask}, generator())["past"]
    assert not varied[~mask].any()
    assert not torch.equal(varied, x)


def test_strengths_grow_and_auto_is_one_of_them():
    assert list(AMOUNTS.values()) == sorted(AMOUNTS.values())
    for name in ("digits", "shapes", "tagged-words"):
        task = load_task(name)
        assert all(auto_strength(task, feature) in AMOUNTS for feature in task.inputs.values())


def test_mixup_mixes_inputs_with_those_of_partners():
    x, labels = inputs("image"), torch.arange(6)
    batch = {"image": x, "words": torch.arange(6)[:, None], "y": labels}
    features = {
        "image": Feature("image", "image", (3, 8, 10)),
        "words": Feature("words", "tokens", (1,), num_tokens=9),
    }
    mixed, partners, share = mix(batch, features, generator(2), 0.4)
    assert 0 <= share <= 1
    assert sorted(partners["y"].tolist()) == list(range(6))
    torch.testing.assert_close(mixed["image"], share * x + (1 - share) * x[partners["y"]])
    assert torch.equal(mixed["words"], batch["words"])
    assert torch.equal(mixed["y"], labels)


def _chosen(task, settings):
    from pomona.fit.augment import _chosen

    (feature,) = task.inputs.values()
    return _chosen(task, feature, settings)
