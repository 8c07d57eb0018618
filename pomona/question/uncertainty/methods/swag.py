"""SWAG (Maddox et al. 2019): a normal law through the weights that training passes once it has arrived."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from pomona.fit.objectives import Tensors
from pomona.fit.settings import FitSettings
from pomona.fit.trials.space import Float as FloatRange
from pomona.fit.trials.space import Space
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import Raw, answer, fitted
from pomona.question.uncertainty.methods.member_network import heads_of_members
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import Trained, train
from pomona.tasks.task import Task

DEFAULTS = {"snapshots": 20, "share": 0.5, "rate": 0.3, "scale": 1.0, "samples": 30}
SPACE = Space({"rate": FloatRange(0.03, 1.0, log=True), "scale": FloatRange(0.1, 1.0, log=True)})


def swag(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """The mean of `samples` networks around the mean of `snapshots` of the weights.

    After a usual fit training goes on for `share` of its steps at `rate` times its learning rate, without a
    schedule; a snapshot is taken at even distances, before each of which the optimiser starts anew. Draws
    have `scale` times the deviations. Statistics of batch norms are those of the last snapshot.
    """
    target, own = only_target(task).name, settings.chosen(DEFAULTS)
    trained, snapshots = _snapshots(task, spec, settings.fit, own, run=run, name=name)
    moments = weight_moments(snapshots)

    def raw_heads(inputs: Tensors) -> Raw:
        generator = torch.Generator().manual_seed(stream_seed(run.seed, "weights", name))
        weights = moments.drawn(own["samples"], own["scale"], generator)
        return Raw(heads_of_members(trained.network, weights, inputs, target))

    say = answer(task, trained.network, raw_heads)
    parts = {"mean": moments.mean, "variance": moments.variance, "deviations": moments.deviations}
    extra = {f"swag.{part}.{key}": t for part, named in parts.items() for key, t in named.items()}
    return fitted([trained], spec, say, settings, passes=own["samples"], extra=extra)


@dataclass(frozen=True, eq=False)
class WeightMoments:
    """By name of the weight: mean, variance of each number, and how far each snapshot was from the mean of
    those up to it."""

    mean: Tensors
    variance: Tensors
    deviations: dict[str, Float[Tensor, "snapshot ..."]]

    def drawn(self, num_samples: int, scale: float, generator: torch.Generator) -> Tensors:
        """Weights (member, *shape) whose covariance is scale² · ½ (diagonal + that of the snapshots)."""
        num_snapshots = len(next(iter(self.deviations.values())))
        common = torch.randn(num_samples, num_snapshots, generator=generator)
        found = {}
        for name, mean in self.mean.items():
            own = torch.randn(num_samples, *mean.shape, generator=generator).to(mean.dtype)
            low_rank = torch.tensordot(common.to(mean.dtype), self.deviations[name], 1)
            noise = self.variance[name].sqrt() * own + low_rank / (num_snapshots - 1) ** 0.5
            found[name] = mean + scale * 0.5**0.5 * noise
        return found


def weight_moments(snapshots: list[Tensors]) -> WeightMoments:
    """The moments of at least two snapshots of the weights."""
    stacked = {name: torch.stack([one[name] for one in snapshots]) for name in snapshots[0]}
    mean = {name: values.mean(0) for name, values in stacked.items()}
    variance = {name: values.var(0, correction=0) for name, values in stacked.items()}
    deviations = {name: values - _running_mean(values) for name, values in stacked.items()}
    return WeightMoments(mean, variance, deviations)


def _running_mean(values: Float[Tensor, "snapshot ..."]) -> Float[Tensor, "snapshot ..."]:
    counts = torch.arange(1, len(values) + 1, dtype=values.dtype)
    return values.cumsum(0) / counts.reshape(-1, *[1] * (values.ndim - 1))


def _snapshots(
    task: Task, spec: Spec, settings: FitSettings, own: dict[str, float], *, run: Run, name: str
) -> tuple[Trained, list[Tensors]]:
    """The last network, with the steps and seconds of all, and the weights at every snapshot."""
    first = last = train(task, spec, settings, run=run, name=name)
    num_snapshots = max(2, int(own["snapshots"]))
    steps = max(1, round(own["share"] * first.result.steps / num_snapshots))
    onward = replace(
        settings,
        epochs=None,
        steps=steps,
        schedule="constant",
        warmup=0.0,
        keep="last",
        early_stopping=0,
        learning_rate=own["rate"] * settings.learning_rate,
    )
    snapshots: list[Tensors] = []
    seconds = first.result.seconds
    for index in range(num_snapshots):
        part = f"{name}-snapshot{index}"
        last = train(task, spec, onward, run=run, name=part, weights=last.result.state)
        snapshots.append({key: weight.detach().clone() for key, weight in last.network.named_parameters()})
        seconds += last.result.seconds
    total = replace(last.result, steps=first.result.steps + num_snapshots * steps, seconds=seconds)
    return Trained(last.network, total), snapshots
