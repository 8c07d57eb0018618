"""Neural Gaussian processes with bounded layers, SNGP (Liu et al. 2020), one or several."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.fit.extension import Extension
from pomona.fit.feeds import EVALUATED_AT_ONCE, Place, held_out, to_tensors
from pomona.fit.objectives import Tensors
from pomona.fit.trials.space import Float as FloatRange
from pomona.fit.trials.space import Space
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.network import Network
from pomona.networks.spec import Spec
from pomona.nn.random_features import GaussianProcessHead
from pomona.nn.spectral import bound_stretch
from pomona.question.uncertainty.methods.answering import Raw, RawHeads, answer, fitted, unknown_share
from pomona.question.uncertainty.methods.head_of import head_of, read_by, replace_head
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import Trained, train, train_members
from pomona.tasks.source import batches
from pomona.tasks.task import Task

DEFAULTS = {
    "bound": 6.0,
    "features": 1024,
    "length_scale": 1.0,
    "ridge": 1.0,
    "mean_field_factor": math.pi / 8,
}
ENSEMBLE_DEFAULTS = {**DEFAULTS, "members": 4}
SPACE = Space(
    {
        "bound": FloatRange(0.5, 10.0, log=True),
        "length_scale": FloatRange(0.1, 3.0, log=True),
        "mean_field_factor": FloatRange(0.1, 30.0, log=True),
    }
)


def gaussian_process(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """A network whose layers stretch by at most `bound` and whose head is a Gaussian process.

    The head has `features` random features of a kernel of `length_scale`, which is relative to the number of
    inputs. Precisions are `ridge` plus the sum over the training examples of φ φᵀ, taken with the final
    weights. Logits are divided by √(1 + `mean_field_factor` · variance).
    """
    own = settings.chosen(DEFAULTS)
    trained = train(
        task, spec, settings.fit, run=run, name=name, extension=bounded(only_target(task).name, own)
    )
    return _fitted(task, spec, settings, [trained], own)


def gaussian_process_ensemble(
    task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str
) -> Fitted:
    """`members` of what `gaussian_process` fits, from unlike seeds; the mean of their probabilities."""
    own = settings.chosen(ENSEMBLE_DEFAULTS)
    extension = bounded(only_target(task).name, own)
    trained = train_members(task, spec, settings.fit, own["members"], run=run, name=name, extension=extension)
    return _fitted(task, spec, settings, trained, own)


def bounded(target: str, own: dict[str, float]) -> Extension:
    """Bounds every layer and makes the head a Gaussian process."""

    def transform(network: nn.Module, seed: int) -> nn.Module:
        _, head = head_of(network, target)
        bound_stretch(network, own["bound"], seed, spared=head)
        generator = torch.Generator().manual_seed(stream_seed(seed, "random features"))
        features, scale = int(own["features"]), own["length_scale"]
        process = GaussianProcessHead(
            head.linear.in_features,
            head.shape,
            num_random=features,
            length_scale=scale,
            generator=generator,
        )
        replace_head(network, target, process)
        return network

    return Extension(transform, key=f"sngp {own}")


def posterior_covariance(
    features: Float[Tensor, "example random"], ridge: float, noise_variance: float
) -> Float[Tensor, "random random"]:
    """Of the weights of a linear model of `features` whose prior precision is `ridge`."""
    precision = (features.T @ features).double() / noise_variance
    precision.diagonal().add_(ridge)
    return torch.cholesky_inverse(torch.linalg.cholesky(precision))


def _fitted(
    task: Task, spec: Spec, settings: MethodSettings, trained: Sequence[Trained], own: dict[str, float]
) -> Fitted:
    extra = {}
    for index, one in enumerate(trained):
        head = _measured(task, one.network, own["ridge"])
        prefix = f"member{index}." if len(trained) > 1 else ""
        extra[f"{prefix}covariance"] = head.covariance
    raw_heads = _raw_heads(task, trained, own["mean_field_factor"])
    return fitted(trained, spec, answer(task, trained[0].network, raw_heads), settings, extra=extra)


@torch.no_grad()
def _measured(task: Task, network: nn.Module, ridge: float) -> GaussianProcessHead:
    """The head of a network, with its covariance computed from the training examples."""
    target = only_target(task).name
    head = _process(network, target)
    features, squares = [], []
    place = Place(dtype=head.linear.weight.dtype)
    for batch in batches(held_out(task.splits["train"], name="train", seed=0), EVALUATED_AT_ONCE):
        inputs = to_tensors(batch, task, place)
        x = read_by(head, network, inputs)
        features.append(head.features(x))
        if task.kind == "regress":
            squares.append((head(x) - inputs[target]) ** 2)
    noise = float(torch.cat(squares).mean().clamp_min(1e-6)) if squares else 1.0
    head.covariance.copy_(posterior_covariance(torch.cat(features), ridge, noise))
    return head


def _raw_heads(task: Task, trained: Sequence[Trained], factor: float) -> RawHeads:
    target = only_target(task).name

    def one(network: nn.Module, inputs: Tensors) -> tuple[Tensor, Tensor]:
        head = _process(network, target)
        x = read_by(head, network, inputs)
        mean, variance = head(x), head.variance(x)
        variance = variance.reshape(-1, *[1] * (mean.ndim - 1)).expand_as(mean)
        return mean, variance

    def raw_heads(inputs: Tensors) -> Raw:
        pairs = [one(member.network, inputs) for member in trained]
        means = torch.stack([mean for mean, _ in pairs])
        variances = torch.stack([variance for _, variance in pairs])
        if task.kind == "classify":
            logits = means / (1 + factor * variances).sqrt()
            share = torch.stack([unknown_share(one) for one in logits]).mean(0)
            return Raw(logits, scores={"dempster-shafer": share})
        return Raw(means, variances)

    return raw_heads


def _process(network: nn.Module, target: str) -> GaussianProcessHead:
    assert isinstance(network, Network)
    head = network.blocks[network.spec.outputs[target]]
    assert isinstance(head, GaussianProcessHead)
    return head
