"""CutMix: the share of the loss is the share of the pixels."""

import numpy as np
import torch

from pomona.fit.augment import mix
from pomona.fit.loop import fit
from pomona.fit.settings import FitSettings
from pomona.networks.default import default_spec
from pomona.tasks import load_task
from pomona.tasks.feature import Feature

INPUTS = {
    "image": Feature("image", "image", (2, 8, 12)),
    "words": Feature("words", "tokens", (3,), num_tokens=9),
}


def drawn(seed, alpha=0.0, cut_alpha=1.0):
    image = torch.arange(5.0)[:, None, None, None].expand(5, 2, 8, 12).contiguous()
    batch = {"image": image, "words": torch.arange(15).reshape(5, 3), "y": torch.arange(5)}
    return batch, *mix(batch, INPUTS, torch.Generator().manual_seed(seed), alpha, cut_alpha)


def test_every_pixel_is_of_an_image_or_its_partner_and_the_share_counts_them():
    shares = []
    for seed in range(40):
        batch, mixed, partners, share = drawn(seed)
        assert torch.equal(mixed["words"], batch["words"])
        assert torch.equal(mixed["y"], batch["y"])
        own = mixed["image"] == batch["image"]
        assert bool((own | (mixed["image"] == partners["image"])).all())
        moved = batch["y"] != partners["y"]
        np.testing.assert_allclose(own[moved].float().mean((1, 2, 3)), share, atol=1e-6)
        shares.append(share)
    assert len(set(shares)) > 20
    assert min(shares) < 0.4 < 0.9 < max(shares)


def test_with_mixup_too_it_is_one_or_the_other():
    kinds = set()
    for seed in range(20):
        batch, mixed, partners, _ = drawn(seed, alpha=1.0)
        is_cut = bool(((mixed["image"] == batch["image"]) | (mixed["image"] == partners["image"])).all())
        kinds.add(is_cut)
    assert kinds == {True, False}


def test_a_fit_learns_with_it():
    task = load_task("digits")
    result = fit(task, default_spec(task), FitSettings(steps=120, cutmix=1.0, mixup=0.8, augment="none"))
    assert result.valid["accuracy"] > 0.3
