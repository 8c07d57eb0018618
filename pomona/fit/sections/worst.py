"""Which examples it gets most wrong."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from pomona.foundation.errors import MissingExtraError
from pomona.foundation.report import audio, images, table, text
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature

NUM_SHOWN = 24


def worst_section(
    batch: Batch,
    inputs: Mapping[str, Feature],
    losses: Float[np.ndarray, " batch"],
    wanted: Sequence[str],
    predicted: Sequence[str],
) -> list[dict[str, Any]]:
    """The items of the section: the test examples of greatest loss, as pictures, sounds or rows.

    `batch` holds prepared inputs; `losses` may be any measure of wrongness, greatest is worst; `wanted` and
    `predicted` are what a person reads of each example.
    """
    order = np.argsort(-np.nan_to_num(losses, nan=np.inf), kind="stable")[:NUM_SHOWN]
    captions = [(f"{wanted[i]} taken for {predicted[i]}", f"loss {losses[i]:.3g}") for i in order]
    for name, feature in inputs.items():
        if feature.kind == "image":
            try:
                pictures = [
                    (png_of(batch[name][i]), *caption) for i, caption in zip(order, captions, strict=True)
                ]
            except MissingExtraError as error:
                return [text(str(error))]
            return [images(pictures, caption="Test examples with the greatest loss.")]
        if feature.kind == "audio" and feature.rate:
            clips = [
                (wav_of(batch[name][i], feature.rate), *caption)
                for i, caption in zip(order[:12], captions, strict=False)
            ]
            return [audio(clips, caption="Test examples with the greatest loss.")]
    rows = [
        [int(batch["id"][i]) if "id" in batch else int(i), wanted[i], predicted[i], float(losses[i])]
        for i in order
    ]
    columns = [("example", "integer"), "wanted", "predicted", ("loss", "number")]
    return [table(columns, rows, caption="Test examples with the greatest loss.")]


def png_of(image: Float[np.ndarray, "channel height width"], *, smallest: int = 96) -> bytes:
    """A PNG of a prepared image: values stretched to full range, small ones enlarged without smoothing."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("pillow", "images") from None
    low, high = float(image.min()), float(image.max())
    pixels = np.uint8(255 * (image - low) / max(high - low, 1e-9)).transpose(1, 2, 0)
    pixels = pixels if pixels.shape[2] == 3 else pixels[:, :, 0]
    factor = max(1, -(-smallest // min(pixels.shape[:2])))
    file = io.BytesIO()
    Image.fromarray(pixels.repeat(factor, 0).repeat(factor, 1)).save(file, "PNG", optimize=True)
    return file.getvalue()


def wav_of(samples: Float[np.ndarray, " samples"], rate: float) -> bytes:
    """A 16-bit WAV of a waveform in [-1, 1]."""
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(int(rate))
        sound.writeframes(np.int16(np.clip(samples, -1, 1) * 32767).tobytes())
    return file.getvalue()
