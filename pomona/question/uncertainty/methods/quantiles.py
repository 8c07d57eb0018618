"""Quantile regression (Koenker and Bassett 1978): the head gives values that the truth is below so often."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.fit.evaluate import place_of
from pomona.fit.extension import Extension, TaskLoss
from pomona.fit.feeds import to_tensors
from pomona.fit.objectives import TargetLoss, Tensors, weighted_mean
from pomona.fit.trials.space import Choice, Space
from pomona.foundation.errors import SettingError
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.nn.head import Head
from pomona.question.uncertainty.methods.answering import fitted
from pomona.question.uncertainty.methods.head_of import head_of, replace_head
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.question.uncertainty.said import SaidValues
from pomona.tasks.batch import Batch
from pomona.tasks.outputs import prediction
from pomona.tasks.task import Task

DEFAULTS = {"levels": 19}
SPACE = Space({"levels": Choice((9, 19, 39))})


def quantiles(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """An odd number of quantiles, `levels` of them, at even steps between 0 and 1; the mean is theirs."""
    target, own = only_target(task, ("regress",)).name, settings.chosen(DEFAULTS)
    if own["levels"] < 3 or own["levels"] % 2 == 0:
        raise SettingError(f"levels must be odd and at least 3, got {own['levels']}")
    levels = tuple(level / (own["levels"] + 1) for level in range(1, own["levels"] + 1))

    def transform(network: nn.Module, seed: int) -> nn.Module:
        _, head = head_of(network, target)
        many = Head(head.linear.in_features, (*head.shape, len(levels)))
        many.initialise(torch.Generator().manual_seed(stream_seed(seed, "quantiles")))
        nn.init.zeros_(many.linear.bias)
        replace_head(network, target, many)
        return QuantileHeads(network, target)

    extension = Extension(transform, quantile_loss(target, levels), key=f"quantile {own}")
    trained = train(task, spec, settings.fit, run=run, name=name, extension=extension)

    def say(batch: Batch) -> SaidValues:
        with torch.no_grad():
            heads = trained.network(to_tensors(batch, task, place_of(trained.network)))
        return said_of_quantiles(task, heads[quantiles_key(target)].cpu().double().numpy(), levels)

    return fitted([trained], spec, say, settings)


class QuantileHeads(nn.Module):
    """The heads of a network; that of `target` as the middle quantile, and all quantiles beside it."""

    def __init__(self, network: nn.Module, target: str):
        super().__init__()
        self.network = network
        self.target = target

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        heads = self.network(inputs)
        every = heads[self.target]
        middle = every[..., every.shape[-1] // 2]
        return {**heads, self.target: middle, quantiles_key(self.target): every}


def quantiles_key(target: str) -> str:
    """The head that holds all quantiles, along its last axis."""
    return f"{target}.quantiles"


def quantile_loss(
    target: str, levels: tuple[float, ...]
) -> Callable[[Tensors, Tensors, TaskLoss, float], Tensor]:
    """The mean over levels of the tilted absolute error, which a quantile makes least."""

    def objective(heads: Tensors, batch: Tensors, loss: TaskLoss, share: float) -> Tensor:
        every = heads[quantiles_key(target)]
        short = batch[target][..., None] - every
        level = torch.tensor(levels, dtype=every.dtype, device=every.device)
        costs = torch.maximum(level * short, (level - 1) * short).mean(-1)
        return weighted_mean(costs, TargetLoss(target, "regress", "squared-error").weights(batch))

    return objective


def said_of_quantiles(
    task: Task, scaled: Float[np.ndarray, "batch ... level"], levels: tuple[float, ...]
) -> SaidValues:
    """What quantiles of scaled values say; where they cross they are sorted (Chernozhukov et al. 2010).

    Mean and deviation are those of values spread evenly over the levels.
    """
    feature = only_target(task)
    ordered = np.moveaxis(np.sort(scaled, axis=-1), -1, 0)
    values = np.stack([prediction(task.kind, one, feature) for one in ordered])
    found = dict(zip(levels, values, strict=True))
    return SaidValues(values.mean(axis=0), values.std(axis=0), found)
