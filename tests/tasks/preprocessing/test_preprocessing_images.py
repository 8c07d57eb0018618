import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from pomona.foundation.errors import DataError
from pomona.foundation.randomness import stream
from pomona.tasks.preprocessing.image import apply_image, fit_image
from pomona.tasks.preprocessing.resize import filter_weights, resize
from pomona.tasks.preprocessing.step import Step


def plain_step(height, width, channels, low=0.0, high=1.0):
    settings = {"height": height, "width": width, "channels": channels, "low": low, "high": high}
    return Step("image", ("x",), "x", settings | {"mean": [0.0] * channels, "std": [1.0] * channels})


@pytest.mark.parametrize("size", [(20, 30), (427, 640), (500, 700), (64, 61), (1, 1)])
def test_resizing_equals_pillows_bilinear_filter(size):
    photo = load_sample_image("china.jpg")
    reference = Image.fromarray(photo).resize(size[::-1], Image.Resampling.BILINEAR)
    ours = resize(photo[None].astype(np.float32), *size)[0]
    # Pillow rounds to whole numbers after each of its two passes
    assert np.abs(ours - np.asarray(reference)).max() <= 1.01


def test_resizing_keeps_constants_and_equal_sizes():
    images = np.full((2, 5, 7, 3), 0.25, np.float32)
    np.testing.assert_allclose(resize(images, 11, 3), 0.25, rtol=1e-6)
    random = stream(0, "images").random((2, 5, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(resize(random, 5, 7), random)
    np.testing.assert_allclose(filter_weights(13, 4).sum(1), 1, rtol=1e-6)


def test_pixels_are_standardised_by_channel():
    images = stream(0, "images").integers(0, 256, (50, 6, 8, 3)).astype(np.uint8)
    pixels = apply_image(fit_image("x", images), {"x": images})["image"]
    assert pixels.shape == (50, 3, 6, 8)
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels.mean((0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(pixels.std((0, 2, 3)), 1, atol=1e-4)


def test_types_with_a_known_range_agree():
    eight = np.array([[[0, 51], [102, 255]]], np.uint8)
    step = plain_step(2, 2, 1, high=255.0)
    expected = apply_image(step, {"x": eight})["x"]
    np.testing.assert_allclose(expected.reshape(-1), [0, 0.2, 0.4, 1], rtol=1e-6)
    for same in (eight.astype(np.uint16) * 257, eight.astype(np.float64), eight.astype(np.int64)):
        np.testing.assert_allclose(apply_image(step, {"x": same})["x"], expected, rtol=1e-6)
    assert apply_image(step, {"x": eight > 100})["x"].reshape(-1).tolist() == [0, 0, 1, 1]


def test_the_range_of_floats_is_that_of_training():
    images = stream(0, "images").integers(0, 17, (20, 8, 8)).astype(np.float64)
    step = fit_image("x", images)
    assert (step.settings["low"], step.settings["high"]) == (0.0, 16.0)
    step = fit_image("x", images - 8)
    assert (step.settings["low"], step.settings["high"]) == (-8.0, 8.0)


def test_channels_may_be_last_first_or_absent():
    grey = stream(0, "images").integers(0, 256, (4, 8, 9)).astype(np.uint8)
    step = plain_step(8, 9, 1)
    expected = apply_image(step, {"x": grey})["x"]
    np.testing.assert_array_equal(apply_image(step, {"x": grey[..., None]})["x"], expected)
    np.testing.assert_array_equal(apply_image(step, {"x": grey[:, None]})["x"], expected)
    colour = stream(1, "images").integers(0, 256, (4, 8, 9, 3)).astype(np.uint8)
    step = plain_step(8, 9, 3)
    np.testing.assert_array_equal(
        apply_image(step, {"x": np.moveaxis(colour, 3, 1)})["x"], apply_image(step, {"x": colour})["x"]
    )


def test_colour_becomes_grey_as_pillow_does_it_and_grey_becomes_colour():
    photo = load_sample_image("flower.jpg")[:40, :50]
    grey = apply_image(plain_step(40, 50, 1), {"x": photo[None]})["x"][0, 0] * 255
    assert np.abs(grey - np.asarray(Image.fromarray(photo).convert("L"))).max() <= 1
    colour = apply_image(plain_step(40, 50, 3), {"x": photo[None, :, :, 0]})["x"][0]
    np.testing.assert_array_equal(colour[0], colour[2])


def test_what_is_transparent_is_white():
    pixel = np.array([[[[0, 0, 0, 0], [10, 20, 30, 255]]]], np.uint8)
    rows = apply_image(plain_step(1, 2, 3), {"x": pixel})["x"][0, :, 0].T * 255
    np.testing.assert_allclose(rows, [[255, 255, 255], [10, 20, 30]], rtol=1e-5)


def test_images_of_unlike_sizes_are_as_each_alone():
    generator = stream(0, "images")
    images = np.empty(3, object)
    images[:] = [
        generator.integers(0, 256, shape).astype(np.uint8) for shape in ((5, 6), (9, 4, 3), (8, 8, 4))
    ]
    step = fit_image("x", images, size=(6, 6), channels=3)
    together = apply_image(step, {"x": images})["image"]
    alone = [apply_image(step, {"x": image[None]})["image"] for image in images]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_a_batch_without_images_has_the_right_shape():
    assert apply_image(plain_step(4, 5, 3), {"x": np.empty(0, object)})["x"].shape == (0, 3, 4, 5)
    assert apply_image(plain_step(4, 5, 1), {"x": np.zeros((0, 4, 5), np.uint8)})["x"].shape == (0, 1, 4, 5)


def test_missing_pixels_are_the_mean():
    images = np.array([[[0.0, 1.0], [np.nan, 0.5]]])
    assert apply_image(plain_step(2, 2, 1), {"x": images})["x"][0, 0, 1, 0] == 0


@pytest.mark.parametrize("images", [np.zeros((2, 5)), np.zeros((1, 5, 5, 7)), np.array([["a"]], object)])
def test_what_is_no_image_is_refused(images):
    with pytest.raises(DataError, match="image"):
        apply_image(plain_step(4, 4, 1), {"x": images})
