"""The 19 corruptions, beside imagecorruptions-imaug's on one picture (tests/oracles/corruptions_imaug.py)."""

from pathlib import Path

import numpy as np
import pytest

from pomona.foundation.errors import SettingError
from pomona.question.stresses.corruptions import CORRUPTIONS
from pomona.question.stresses.corruptions.motion import streaked
from pomona.question.stresses.corruptions.weather import FROST_DEVIATIONS, FROST_MEAN, frosted

ORACLE = dict(np.load(Path(__file__).parents[1] / "oracles" / "corruptions_imaug.npz"))
PICTURE = ORACLE["picture"][None].astype(np.float32) / 255
CERTAIN = ("defocus-blur", "zoom-blur", "gaussian-blur", "brightness", "contrast", "saturate")
RANDOM = [name for name in CORRUPTIONS if f"{name.replace('-', '_')}_error" in ORACLE]


def corrupted(name: str, severity: int, images: np.ndarray, seed: int = 0) -> np.ndarray:
    return CORRUPTIONS[name](images, severity, np.random.default_rng(seed))


def numbers(after: np.ndarray) -> np.ndarray:
    change = after - PICTURE[0]
    centred = change - change.mean()
    alike = (centred[:, 1:] * centred[:, :-1]).mean() / (centred**2).mean()
    return np.array([after.mean(), after.std(), np.abs(change).mean(), alike])


def test_there_are_nineteen_and_the_oracle_has_all():
    assert len(CORRUPTIONS) == 19
    assert len(RANDOM) == 11


@pytest.mark.parametrize("name", CERTAIN)
def test_corruptions_without_chance_are_the_peers_to_the_grey_level(name):
    for severity, theirs in zip((1, 3, 5), ORACLE[name.replace("-", "_")], strict=True):
        # the peer cuts fractions of a grey level off
        assert np.abs(corrupted(name, severity, PICTURE)[0] * 255 - theirs).max() < 1.01


@pytest.mark.parametrize("name", ["pixelate", "jpeg-compression"])
def test_what_whole_numbers_decide_is_the_peers_but_for_ties(name):
    for severity, theirs in zip((1, 3, 5), ORACLE[name.replace("-", "_")], strict=True):
        distance = np.abs(corrupted(name, severity, PICTURE)[0] * 255 - theirs)
        assert distance.mean() < 0.6
        assert np.quantile(distance, 0.95) < 5


@pytest.mark.parametrize("name", RANDOM)
def test_corruptions_by_chance_have_the_peers_mean_spread_strength_and_grain(name):
    for severity in (1, 3, 5):
        drawn = [
            numbers(np.floor(one * 255) / 255)
            for one in corrupted(name, severity, PICTURE.repeat(24, 0), severity)
        ]
        theirs = ORACLE[name.replace("-", "_")][severity - 1]
        error = np.hypot(
            np.std(drawn, axis=0) / 24**0.5, ORACLE[f"{name.replace('-', '_')}_error"][severity - 1]
        )
        # crystals of ice are drawn rather than photographed, and the edges of drops are found another way
        slack = {"frost": (0.02, 0.02, 0.03, 0.06), "spatter": (0.01, 0.01, 0.008, 0.05)}.get(name, 0.002)
        assert (np.abs(np.mean(drawn, axis=0) - theirs) < 4 * error + slack).all()


def test_streaks_at_given_angles_are_the_peers():
    ours = streaked(PICTURE.repeat(3, 0), 15, 8, ORACLE["angles"])
    assert np.abs(ours * 255 - ORACLE["motion"]).max() < 0.51


def test_drawn_frost_has_the_colour_and_contrast_of_the_photographs():
    assert np.abs(FROST_MEAN - ORACLE["photographs"][:3]).max() < 0.01
    assert abs(FROST_DEVIATIONS[1] - ORACLE["photographs"][3]) < 0.02
    ice = np.full_like(PICTURE, 0.5)
    assert np.allclose(frosted(PICTURE, ice, 2), np.clip(0.8 * PICTURE + 0.3, 0, 1))


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 32, 3), (20, 33, 3), (70, 66, 1)])
def test_any_image_stays_an_image_and_one_equals_many(name, shape):
    images = np.random.default_rng(1).random((3, *shape), np.float32)
    for severity in (1, 4, 5):
        many = corrupted(name, severity, images)
        assert many.shape == images.shape
        assert many.dtype == np.float32
        assert np.isfinite(many).all()
        assert 0 <= many.min() <= many.max() <= 1
        assert np.array_equal(many, corrupted(name, severity, images)), "the generator decides all"


@pytest.mark.parametrize("name", CERTAIN)
def test_an_image_is_corrupted_alike_whatever_stands_beside_it(name):
    images = np.random.default_rng(1).random((3, 32, 32, 3), np.float32)
    assert np.allclose(corrupted(name, 3, images)[1:2], corrupted(name, 3, images[1:2]), atol=1e-6)


@pytest.mark.parametrize("name", sorted(set(CORRUPTIONS) - {"brightness", "contrast", "saturate"}))
def test_a_severer_corruption_changes_more(name):
    images = PICTURE[:, :64, :64].repeat(16, 0)
    change = [np.abs(corrupted(name, severity, images) - images).mean() for severity in (1, 5)]
    # CIFAR-10-C's elastic shear shrinks as its waves grow
    assert change[1] > change[0] * (0.5 if name == "elastic-transform" else 1)


def test_a_severity_is_one_of_five():
    with pytest.raises(SettingError, match="1, 2, 3, 4 or 5"):
        corrupted("fog", 6, PICTURE)
