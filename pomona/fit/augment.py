"""Random variation of training inputs, by the kind of input and how strong it is to be.

Every transform draws all its numbers from the generator it is given, one set an example, and works on a
whole batch at once. What a transform may do depends on the target: nothing moves the pixels of a picture
whose target says where things are, and nothing rescales a past whose future is asked for.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from pomona.fit.cut_mix import cut_mix
from pomona.fit.settings import FitSettings
from pomona.tasks.feature import Feature, mask_key
from pomona.tasks.task import Task

Tensors = dict[str, Tensor]
Transform = Callable[[Tensor, torch.Generator, float], Tensor]

UNKNOWN_TOKEN = 1


def move(
    x: Float[Tensor, "batch channel height width"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch channel height width"]:
    """Each image turned by up to 12°, scaled by up to 12 % and shifted by up to a tenth, times `amount`."""
    turn, scale, right, down = _symmetric(x, generator, 4) * amount
    angle, factor = turn * math.radians(12), 1 + 0.12 * scale
    cosine, sine = angle.cos() * factor, angle.sin() * factor
    # affine_grid measures both sides of an image as 2: a turn of one that is not square is a shear there
    aspect = x.shape[2] / x.shape[3]
    rows = [cosine, -sine * aspect, 0.2 * right, sine / aspect, cosine, 0.2 * down]
    matrix = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = functional.affine_grid(matrix, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def cut(
    x: Float[Tensor, "batch channel height width"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch channel height width"]:
    """Each image with a square of zeros, up to 0.3 · `amount` of the side (cutout, DeVries & Taylor 2017)."""
    down, right, side = _uniform(x, generator, 3)
    half = (side * 0.15 * amount)[:, None]
    return x.masked_fill(
        (_near(down, half, x.shape[2])[:, None, :, None] & _near(right, half, x.shape[3])[:, None, None, :]),
        0.0,
    )


def lighten(
    x: Float[Tensor, "batch channel height width"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch channel height width"]:
    """Each image with its contrast changed by up to 20 % and its brightness by up to 0.2, times `amount`."""
    contrast, brightness = _symmetric(x, generator, 2).view(2, -1, 1, 1, 1) * (0.2 * amount)
    return x * (1 + contrast) + brightness


def mirror(
    x: Float[Tensor, "batch channel height width"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch channel height width"]:
    """Half of the images mirrored left to right, whatever the amount."""
    return torch.where(_uniform(x, generator, 1)[0].view(-1, 1, 1, 1) < 0.5, x.flip(3), x)


def delay(
    x: Float[Tensor, "batch samples"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch samples"]:
    """Each waveform shifted by up to a tenth of its length times `amount`, with silence coming in."""
    length = x.shape[1]
    shift = (_symmetric(x, generator, 1)[0] * (0.1 * amount * length)).round().long()
    places = torch.arange(length, device=x.device) - shift[:, None]
    return x.gather(1, places.clamp(0, length - 1)) * ((places >= 0) & (places < length))


def loudness(
    x: Float[Tensor, "batch samples"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch samples"]:
    """Each waveform louder or softer by up to 6 dB times `amount`."""
    return x * (10 ** (0.3 * amount * _symmetric(x, generator, 1)[0]))[:, None]


def hiss(x: Tensor, generator: torch.Generator, amount: float) -> Tensor:
    """Noise of up to 5 % of each example's own deviation, times `amount`."""
    strength = 0.05 * amount * x.flatten(1).std(1) * _uniform(x, generator, 1)[0]
    return x + strength.view(-1, *[1] * (x.ndim - 1)) * _normal(x, generator)


def silence(x: Tensor, generator: torch.Generator, amount: float) -> Tensor:
    """Zeros in a span of up to a tenth of the time, times `amount` (as in Park et al. 2019, SpecAugment)."""
    place, length = _uniform(x, generator, 2)
    hidden = _near(place, (0.05 * amount * length)[:, None], x.shape[1])
    return x.masked_fill(hidden.view(*hidden.shape, *[1] * (x.ndim - 2)), 0.0)


def hide_features(
    x: Float[Tensor, "batch time feature"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch time feature"]:
    """Zeros in a band of up to a fifth of the features, times `amount` (SpecAugment); at least one stays."""
    if x.shape[2] < 8:
        return x
    place, length = _uniform(x, generator, 2)
    return x.masked_fill(_near(place, (0.1 * amount * length)[:, None], x.shape[2])[:, None, :], 0.0)


def rescale(
    x: Float[Tensor, "batch time feature"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch time feature"]:
    """Each series times a number between 1 - 0.1 · `amount` and 1 + 0.1 · `amount`."""
    return x * (1 + 0.1 * amount * _symmetric(x, generator, 1)[0]).view(-1, 1, 1)


def jitter(x: Tensor, generator: torch.Generator, amount: float) -> Tensor:
    """Normal noise of deviation 0.05 · `amount` on every number: inputs are standardised."""
    return x + 0.05 * amount * _normal(x, generator)


def drop_features(
    x: Float[Tensor, "batch feature"], generator: torch.Generator, amount: float
) -> Float[Tensor, "batch feature"]:
    """A share 0.05 · `amount` of the numbers set to 0, the mean."""
    return x.masked_fill(_uniform_like(x, generator) < 0.05 * amount, 0.0)


def drop_tokens(
    x: Int[Tensor, "batch time"], generator: torch.Generator, amount: float
) -> Int[Tensor, "batch time"]:
    """A share 0.1 · `amount` of the tokens made unknown; padding stays padding."""
    return x.masked_fill((_uniform_like(x, generator) < 0.1 * amount) & (x != 0), UNKNOWN_TOKEN)


AUGMENTATIONS: dict[str, dict[str, Transform]] = {
    "image": {"move": move, "mirror": mirror, "lighten": lighten, "cut": cut},
    "audio": {"delay": delay, "loudness": loudness, "hiss": hiss, "silence": silence},
    "series": {"rescale": rescale, "jitter": jitter, "silence": silence, "hide_features": hide_features},
    "vector": {"jitter": jitter, "drop_features": drop_features},
    "tokens": {"drop_tokens": drop_tokens},
}
"""Kind of input → name → transform, in the order in which they are applied."""

MOVING = ("move", "mirror", "delay", "rescale")
"""What changes where things are or how large: only for targets that this leaves true."""

FREE_KINDS = ("classify", "multilabel")
"""Kinds of tasks whose targets are true wherever things are."""

AMOUNTS = {"none": 0.0, "light": 0.5, "medium": 1.0, "strong": 2.0}


def augmentation(task: Task, settings: FitSettings) -> Callable[[Tensors, torch.Generator], Tensors] | None:
    """The function that varies a training batch as `settings` ask; None when it would change nothing.

    "auto" is medium for images and waveforms and light for tokens and series where the target is a class or
    labels, and none for all else.
    """
    chosen = {name: _chosen(task, feature, settings) for name, feature in task.inputs.items()}
    if not any(chosen.values()):
        return None

    def vary(batch: Tensors, generator: torch.Generator) -> Tensors:
        varied = dict(batch)
        for name, transforms in chosen.items():
            for transform, amount in transforms:
                varied[name] = transform(varied[name], generator, amount)
            mask = batch.get(mask_key(name))
            if mask is not None and transforms and varied[name].is_floating_point():
                varied[name] = _padded(varied[name], mask)
        return varied

    return vary


def auto_strength(task: Task, feature: Feature) -> str:
    """What "auto" means for an input of a task."""
    if task.kind not in FREE_KINDS:
        return "none"
    return {"image": "medium", "audio": "medium", "tokens": "light", "series": "light"}.get(
        feature.kind, "none"
    )


def mix(
    batch: Tensors,
    inputs: Mapping[str, Feature],
    generator: torch.Generator,
    alpha: float,
    cut_alpha: float = 0.0,
) -> tuple[Tensors, Tensors, float]:
    """The batch with its inputs mixed with partners' inputs, the partners' batch, and the share of the first.

    The loss of the mixture is share · loss(batch) + (1 - share) · loss(partners) (mixup, Zhang et al. 2018;
    one share a batch). Inputs that are not numbers stay those of the first. With `cut_alpha` images are cut
    instead (see `cut_mix`), in every second batch, by chance, where `alpha` is not 0 either.
    """
    size = len(next(iter(batch.values())))
    device = next(iter(batch.values())).device
    partner = torch.randperm(size, generator=generator, device=device)
    partners = {name: tensor[partner] for name, tensor in batch.items()}
    is_cut = cut_alpha > 0 and not (alpha > 0 and _coin(generator))
    share = _beta(generator, cut_alpha if is_cut else alpha)
    if is_cut:
        mixed, share = cut_mix(batch, partner, inputs, generator, share)
        return mixed, partners, share
    mixed = dict(batch)
    for name, feature in inputs.items():
        if feature.kind in ("image", "audio", "series", "vector") and not feature.variable:
            mixed[name] = torch.lerp(partners[name], batch[name], share)
    return mixed, partners, share


def _chosen(task: Task, feature: Feature, settings: FitSettings) -> list[tuple[Transform, float]]:
    strength = auto_strength(task, feature) if settings.augment == "auto" else settings.augment
    is_free = task.kind in FREE_KINDS
    chosen = []
    for name, transform in AUGMENTATIONS.get(feature.kind, {}).items():
        is_wanted = settings.flip if name == "mirror" else AMOUNTS[strength] > 0
        if is_wanted and (is_free or name not in MOVING):
            chosen.append((transform, AMOUNTS[strength]))
    return chosen


def _coin(generator: torch.Generator) -> bool:
    return bool(torch.rand((), generator=generator, device=generator.device) < 0.5)


def _beta(generator: torch.Generator, alpha: float) -> float:
    # a Beta variate is a ratio of two Gamma variates
    seed = int(torch.randint(2**62, (1,), generator=generator, device=generator.device))
    return float(np.random.default_rng(seed).beta(alpha, alpha))


def _padded(x: Tensor, mask: Bool[Tensor, "batch time"]) -> Tensor:
    return x.masked_fill(~mask.view(*mask.shape, *[1] * (x.ndim - 2)), 0.0)


def _near(place: Tensor, half: Float[Tensor, "batch 1"], size: int) -> Bool[Tensor, "batch size"]:
    """Which of `size` cells lie within `half` of `place`, both as shares of the axis."""
    cells = (torch.arange(size, device=place.device) + 0.5) / size
    return (cells - place[:, None]).abs() < half


def _uniform(x: Tensor, generator: torch.Generator, count: int) -> Float[Tensor, "count batch"]:
    dtype = x.dtype if x.is_floating_point() else torch.float32
    return torch.rand(count, len(x), generator=generator, device=x.device, dtype=dtype)


def _symmetric(x: Tensor, generator: torch.Generator, count: int) -> Float[Tensor, "count batch"]:
    return _uniform(x, generator, count) * 2 - 1


def _uniform_like(x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(x.shape, generator=generator, device=x.device)


def _normal(x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
