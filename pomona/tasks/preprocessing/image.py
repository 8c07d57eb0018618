"""Images of any size, layout and number of channels become float32 (channel, height, width), standardised.

The range of whole numbers is that of their type (uint8: 0 … 255, uint16: 0 … 65535, bool: 0 … 1); the range
of floats is that of the training images, because a type of float does not tell it.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Shaped

from pomona.foundation.errors import DataError
from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.resize import resize
from pomona.tasks.preprocessing.step import Step

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow's conversion to grey

FIT_IMAGES = 5000
"""About so many images, evenly spaced, give the mean and the deviation of pixels."""


def fit_image(
    column: str,
    images: np.ndarray,
    *,
    output: str = "image",
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> Step:
    """The step for training images: an array (batch, height, width[, channel]) or an object array of images.

    `size` (height, width) and the number of channels (1 or 3) are those of the first image unless given.
    """
    first = channels_last(images[:1] if images.dtype != object else np.asarray(images[0])[None])
    height, width = size or first.shape[1:3]
    if channels is None:
        channels = 1 if first.shape[3] in (1, 2) else 3
    low, high = value_range(images)
    settings = {"height": int(height), "width": int(width), "channels": channels, "low": low, "high": high}
    step = Step("image", (column,), output, settings | {"mean": [0.0] * channels, "std": [1.0] * channels})
    some = images[:: max(len(images) // FIT_IMAGES, 1)]
    pixels = apply_image(step, {column: some})[output]
    mean = pixels.mean((0, 2, 3), dtype=np.float64)
    std = pixels.std((0, 2, 3), dtype=np.float64)
    fitted = {"mean": mean.round(6).tolist(), "std": np.where(std > 1e-6, std, 1.0).round(6).tolist()}
    return Step("image", (column,), output, settings | fitted)


def apply_image(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Standardised pixels (batch, channel, height, width), float32."""
    values = np.asarray(raw[step.columns[0]])
    if values.dtype == object:
        parts = [_standardised(np.asarray(image)[None], step) for image in values]
        shape = (0, step.settings["channels"], step.settings["height"], step.settings["width"])
        return {step.output: np.concatenate(parts) if parts else np.zeros(shape, np.float32)}
    return {step.output: _standardised(values, step)}


def value_range(images: np.ndarray) -> tuple[float, float]:
    """The lowest and highest value an image can have, by type, or by content for floats and wide integers."""
    dtypes = {np.asarray(image).dtype for image in images} if images.dtype == object else {images.dtype}
    if len(dtypes) == 1 and (known := _type_range(next(iter(dtypes)))):
        return known
    low = min(float(np.min(image)) for image in images)
    high = max(float(np.max(image)) for image in images)
    return (min(low, 0.0), high) if high > low else (low, low + 1.0)


def channels_last(images: np.ndarray) -> Shaped[np.ndarray, "batch height width channel"]:
    """The images with their channels (1 to 4) as the last axis. Raises DataError for other shapes."""
    if images.ndim == 3:
        return images[..., None]
    if images.ndim == 4 and images.shape[3] in (1, 2, 3, 4):
        return images
    if images.ndim == 4 and images.shape[1] in (1, 2, 3, 4):
        return np.moveaxis(images, 1, 3)
    raise DataError(
        f"an image is (height, width) or (height, width, 1 to 4 channels), got the shape {images.shape[1:]}"
    )


def unit_pixels(images: np.ndarray, step: Step) -> Float[np.ndarray, "batch height width channel"]:
    """The images at the size and with the channels of the step, float32, their range being [0, 1]."""
    settings = step.settings
    low, high = _type_range(images.dtype) or (settings["low"], settings["high"])
    if images.dtype.kind not in "buif":
        raise DataError(f"column {step.columns[0]!r} should hold images, got values of type {images.dtype}")
    pixels = (channels_last(images).astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return resize(_with_channels(pixels, settings["channels"]), settings["height"], settings["width"])


def _standardised(images: np.ndarray, step: Step) -> Float[np.ndarray, "batch channel height width"]:
    mean, std = np.float32(step.settings["mean"]), np.float32(step.settings["std"])
    pixels = (unit_pixels(images, step) - mean) / std
    return np.ascontiguousarray(np.moveaxis(np.nan_to_num(pixels, posinf=0.0, neginf=0.0), 3, 1))


def _with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    if pixels.shape[3] in (2, 4):  # the last channel is opacity: what is transparent shows white paper
        opacity = pixels[..., -1:]
        pixels = pixels[..., :-1] * opacity + (1 - opacity)
    if pixels.shape[3] == channels:
        return pixels
    return pixels @ LUMA[:, None] if channels == 1 else np.repeat(pixels, 3, axis=3)


def _type_range(dtype: np.dtype) -> tuple[float, float] | None:
    return {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0), "bool": (0.0, 1.0)}.get(dtype.name)
