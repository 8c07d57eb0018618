"""Batches whose images have a piece of another one's (Yun et al. 2019, CutMix)."""

from collections.abc import Mapping

import torch
from jaxtyping import Int
from torch import Tensor

from pomona.tasks.feature import Feature

Tensors = dict[str, Tensor]


def cut_mix(
    batch: Tensors,
    partner: Int[Tensor, " batch"],
    inputs: Mapping[str, Feature],
    generator: torch.Generator,
    share: float,
) -> tuple[Tensors, float]:
    """The batch with one rectangle of every image from its partner's, and the share of the area that is left.

    The rectangle, the same in the whole batch, has about 1 - `share` of the area and the form of the image,
    around a random centre; what would lie outside is cut off. Other inputs stay.
    """
    mixed, left = dict(batch), 1.0
    down, right = torch.rand(2, generator=generator, device=generator.device).tolist()
    for name, feature in inputs.items():
        if feature.kind != "image":
            continue
        height, width = feature.shape[1:]
        top, bottom = _span(down, height, (1 - share) ** 0.5)
        start, end = _span(right, width, (1 - share) ** 0.5)
        image = batch[name].clone()
        image[:, :, top:bottom, start:end] = batch[name][partner][:, :, top:bottom, start:end]
        mixed[name], left = image, 1 - (bottom - top) * (end - start) / (height * width)
    return mixed, left


def _span(center: float, size: int, part: float) -> tuple[int, int]:
    half, middle = part * size / 2, center * size
    return max(0, round(middle - half)), min(size, round(middle + half))
