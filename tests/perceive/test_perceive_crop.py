"""Crops against the arithmetic written out, one pixel at a time."""

import numpy as np
import pytest

from pomona.perceive.crop import crop, uncrop
from pomona.perceive.region import Region

FRAME = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
REGIONS = [
    Region(30.2, 22.7, 20.0, 20.0, 0.3),
    Region(5.0, 4.0, 40.0, 30.0, -2.1),
    Region(60.0, 50.0, 90.0, 90.0, 1.0),
    Region(32.0, 24.0, 64.0, 48.0, 0.0),
]


def by_hand(image, region, width, height, border):
    """Bilinear in whole 1/32 pixels, as OpenCV 4's warpPerspective does it."""
    tall, wide = image.shape[:2]
    unit = np.stack(np.meshgrid(np.arange(width) / width, np.arange(height) / height), axis=-1)
    x, y = region.project(unit.reshape(-1, 2)).reshape(height, width, 2).transpose(2, 0, 1)
    x, y = np.rint(32 * x).astype(int), np.rint(32 * y).astype(int)
    total = np.zeros((height, width, 3), int)
    for down, across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        column, row = (x >> 5) + across, (y >> 5) + down
        share = (x % 32 if across else 32 - x % 32) * (y % 32 if down else 32 - y % 32)
        pixels = image[np.clip(row, 0, tall - 1), np.clip(column, 0, wide - 1)].astype(int)
        if border == "zero":
            pixels[(row < 0) | (row >= tall) | (column < 0) | (column >= wide)] = 0
        total += share[..., None] * pixels
    return (total + 512) >> 10


@pytest.mark.parametrize("border", ["replicate", "zero"])
@pytest.mark.parametrize("region", REGIONS)
def test_a_crop_is_the_arithmetic_written_out(region, border):
    made = crop(FRAME, region, 40, 24, border).astype(int)
    wanted = by_hand(FRAME, region, 40, 24, border)
    # a coordinate half-way between two steps of 1/32 may go either way
    assert (made == wanted).mean() > 0.985
    assert np.abs(made - wanted).max() <= 8


def test_the_whole_frame_at_its_own_size_is_the_frame():
    np.testing.assert_array_equal(crop(FRAME, Region(32, 24, 64, 48), 64, 48), FRAME)


def test_a_frame_of_one_pixel_fills_the_crop():
    pixel = np.full((1, 1, 3), 77, np.uint8)
    assert (crop(pixel, Region(0.5, 0.5, 3, 3, 0.4), 8, 8) == 77).all()


def test_beyond_the_frame_is_black_or_its_last_pixels():
    away = Region(-500.0, 24.0, 10.0, 10.0)
    assert (crop(FRAME, away, 4, 4, "zero") == 0).all()
    assert set(crop(FRAME, away, 4, 4).reshape(-1, 3)[:, 0]) <= set(FRAME[:, 0, 0]) | set(range(256))


@pytest.mark.parametrize("rotation", [0.0, 0.7, -2.5])
def test_what_is_cropped_and_laid_back_is_where_it_was(rotation):
    down, across = np.mgrid[:200, :300]
    scene = 100 + 80 * np.sin(across / 25) * np.cos(down / 19)
    region = Region(140.0, 90.0, 120.0, 120.0, rotation)
    picture = crop(np.repeat(scene[..., None], 3, axis=2).astype(np.uint8), region, 240, 240)[..., 0]
    back = uncrop(picture.astype(np.float32), region, 300, 200)
    inner = np.abs(region.inside(np.stack([across, down], axis=-1).reshape(-1, 2))).max(axis=1) < 0.45
    inner = inner.reshape(200, 300)
    assert np.abs(back - scene)[inner].max() < 3
    outer = np.abs(region.inside(np.stack([across, down], axis=-1).reshape(-1, 2))).max(axis=1) > 0.52
    assert (back.reshape(-1)[outer] == 0).all()


def test_a_mask_out_of_the_frame_leaves_it_empty():
    assert not uncrop(np.ones((8, 8), np.float32), Region(-90, -90, 20, 20), 30, 20).any()
