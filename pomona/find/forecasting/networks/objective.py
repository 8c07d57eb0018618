"""What a forecasting network is taught by: pinball losses of its quantiles, and a loss of its mean.

All errors are divided by the size of the past, so that series of unlike sizes count alike, and then weighted
as wanted. A past without any variation says nothing of the size of errors: such a window only teaches whether
a value is zero.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from pomona.fit.objectives import Tensors, weighted_mean
from pomona.tasks.feature import mask_key

TWEEDIE_POWER = 1.5
WEIGHTINGS = {"even": 0.0, "root": 0.5, "size": 1.0}
"""Name → power of the size by which a window counts."""

LEAST_MEAN = 1e-4


def forecast_loss(
    heads: Mapping[str, Tensor], batch: Tensors, *, law: str, levels: Sequence[float], weighting: str
) -> Float[Tensor, ""]:
    """The loss of a batch of windows under the law of this name."""
    truth, mask = batch["y"][:, :, 0], batch[mask_key("y")].to(batch["y"].dtype)
    size = heads["size"]
    divisor = torch.where(size > 0, size, torch.ones_like(size))
    weights = mask * (size > 0) * _relative(divisor) ** WEIGHTINGS[weighting]
    scaled = {"truth": (truth - heads["center"]) / divisor}
    scaled["mean"] = (heads["y"][:, :, 0] - heads["center"]) / divisor
    quantiles = (heads["quantiles"] - heads["center"].unsqueeze(2)) / divisor.unsqueeze(2)
    if law == "zero-inflated":
        return _zero_inflated(heads, scaled, truth, mask, weights, levels)
    loss = weighted_mean(pinball(quantiles, scaled["truth"], levels), weights)
    if law in MEAN_LOSSES:
        loss = loss + weighted_mean(MEAN_LOSSES[law](heads, scaled, truth, divisor), weights)
    return loss


def pinball(
    quantiles: Float[Tensor, "batch horizon level"],
    truth: Float[Tensor, "batch horizon"],
    levels: Sequence[float],
) -> Float[Tensor, "batch horizon"]:
    """Twice the pinball loss, averaged over levels; its minimum over a law are the law's quantiles."""
    error = truth.unsqueeze(2) - quantiles
    level = quantiles.new_tensor(tuple(levels))
    return 2 * torch.maximum(level * error, (level - 1) * error).mean(2)


def huber(heads: Mapping[str, Tensor], scaled: Mapping[str, Tensor], truth: Tensor, size: Tensor) -> Tensor:
    """Half the squared error up to 1, the absolute one beyond (Huber 1964)."""
    return F.huber_loss(scaled["mean"], scaled["truth"], reduction="none")


def squared(heads: Mapping[str, Tensor], scaled: Mapping[str, Tensor], truth: Tensor, size: Tensor) -> Tensor:
    """Half the squared error, cut where it is enormous so that one window does not ruin a network."""
    error = (scaled["mean"] - scaled["truth"]).clamp(-50.0, 50.0)
    return 0.5 * error.square()


def tweedie(heads: Mapping[str, Tensor], scaled: Mapping[str, Tensor], truth: Tensor, size: Tensor) -> Tensor:
    """Deviance of a compound Poisson law of power 1.5, up to what the truth alone decides."""
    return tweedie_deviance(scaled["mean"], scaled["truth"])


def tweedie_deviance(mean: Tensor, truth: Tensor, power: float = TWEEDIE_POWER) -> Tensor:
    """Half the deviance, less what does not hang on the mean; least where the mean is the truth's."""
    mean, truth = mean.clamp_min(LEAST_MEAN), truth.clamp_min(0.0)
    return -truth * mean.pow(1 - power) / (1 - power) + mean.pow(2 - power) / (2 - power)


def negative_binomial(
    heads: Mapping[str, Tensor], scaled: Mapping[str, Tensor], truth: Tensor, size: Tensor
) -> Tensor:
    """Nats that the counts themselves cost."""
    mean, spread, count = heads["y"][:, :, 0].clamp_min(LEAST_MEAN), heads["spread"], truth.clamp_min(0.0)
    total = torch.log(spread + mean)
    found = torch.lgamma(count + spread) - torch.lgamma(spread) - torch.lgamma(count + 1)
    return -(found + spread * (torch.log(spread) - total) + count * (torch.log(mean) - total))


MEAN_LOSSES: dict[str, Callable[[Mapping[str, Tensor], Mapping[str, Tensor], Tensor, Tensor], Tensor]] = {
    "huber": huber,
    "squared": squared,
    "tweedie": tweedie,
    "negative-binomial": negative_binomial,
}
"""Law → loss of its mean at every step; a law of quantiles alone has none."""


def _zero_inflated(
    heads: Mapping[str, Tensor],
    scaled: Mapping[str, Tensor],
    truth: Tensor,
    mask: Tensor,
    weights: Tensor,
    levels: Sequence[float],
) -> Tensor:
    """Zero or not, the size of what is not zero, and the two together as the mean."""
    is_positive = (truth != 0).to(truth.dtype)
    chance = F.binary_cross_entropy_with_logits(heads["logit"], is_positive, reduction="none")
    loss = weighted_mean(chance, mask)
    counted = weights * is_positive
    loss = loss + weighted_mean(pinball(heads["positive"], scaled["truth"], levels), counted)
    loss = loss + weighted_mean(tweedie_deviance(heads["positive_mean"], scaled["truth"]), counted)
    return loss + weighted_mean(tweedie_deviance(scaled["mean"], scaled["truth"]), weights)


def _relative(size: Float[Tensor, "batch 1"]) -> Float[Tensor, "batch 1"]:
    """Sizes against their mean in the batch."""
    return size / size.mean().clamp_min(1e-12)
