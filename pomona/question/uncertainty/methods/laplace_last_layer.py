"""Laplace's approximation of the last layer (Daxberger et al. 2021): its weights get a normal law."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.fit.evaluate import place_of
from pomona.fit.feeds import EVALUATED_AT_ONCE, held_out, to_tensors
from pomona.fit.objectives import Tensors
from pomona.fit.trials.space import Float as FloatRange
from pomona.fit.trials.space import Space
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import Raw, answer, fitted
from pomona.question.uncertainty.methods.evidence import best_precision
from pomona.question.uncertainty.methods.head_of import head_of, read_by
from pomona.question.uncertainty.methods.laplace_answer import noise_variance, raw_of
from pomona.question.uncertainty.methods.loss_curvature import class_curvature
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.prior_precision import DEFAULTS, prior_precision
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.source import batches
from pomona.tasks.task import Task

SPACE = Space({"prior_precision": FloatRange(0.1, 1e4, log=True)})

MOST_WEIGHTS = 3000
"""Up to here the curvature of the last layer is a full matrix; beyond, one for each output."""


def laplace_last_layer(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """A usual fit, whose last layer gets a normal law around its weights.

    The prior has mean 0 and `prior_precision`; 0 takes one chosen by validation or evidence. The network is
    linear in these weights, so its raw outputs are normal; classes by the probit approximation.
    """
    target, own = only_target(task).name, settings.chosen(DEFAULTS)
    trained = train(task, spec, settings.fit, run=run, name=name)
    network = trained.network
    _, head = head_of(network, target)
    curvature = decomposed(head_curvature(task, network, noise_variance(task, network)))

    def evident() -> float:
        square = float(sum(weight.detach().double().square().sum() for weight in head.parameters()))
        return best_precision(curvature[0].flatten(), square)

    def covariances(precision: float) -> Tensor:
        return output_covariances(*curvature, precision, head.linear.out_features)

    def variances(inputs: Tensors, several: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        x = read_by(head, network, inputs)
        outputs, features = head(x), with_one(x).double()
        found = torch.stack([output_variances(features, one) for one in several])
        return outputs, found.to(outputs.dtype).reshape(-1, *outputs.shape)

    def variances_under(inputs: Tensors, precisions: Tensor) -> tuple[Tensor, Tensor]:
        return variances(inputs, [covariances(precision) for precision in precisions.tolist()])

    precision = prior_precision(task, network, own, evident, variances_under)
    chosen = covariances(precision)

    def raw_heads(inputs: Tensors) -> Raw:
        outputs, found = variances(inputs, [chosen])
        return raw_of(task, outputs, found[0])

    extra = {"prior_precision": torch.tensor(precision), "covariances": chosen}
    return fitted([trained], spec, answer(task, network, raw_heads), settings, extra=extra)


@torch.no_grad()
def head_curvature(task: Task, network: nn.Module, noise: float) -> Float[Tensor, "block weight weight"]:
    """The curvature by the weights of the head, summed over the training examples, in one block or several.

    A block holds all outputs, each with its weights and then its bias; or there is one block an output.
    """
    target, place = only_target(task).name, place_of(network)
    _, head = head_of(network, target)
    num_outputs = head.linear.out_features
    is_whole = num_outputs * (head.linear.in_features + 1) <= MOST_WEIGHTS
    total: Tensor | None = None
    for batch in batches(held_out(task.splits["train"], name="train", seed=0), EVALUATED_AT_ONCE):
        x = read_by(head, network, to_tensors(batch, task, place))
        features = with_one(x)
        if task.kind == "classify":
            by_head = class_curvature(head(x).softmax(1))
        else:
            by_head = torch.eye(num_outputs, dtype=x.dtype).expand(len(x), -1, -1) / noise
        part = _products(by_head, features) if is_whole else _own_products(by_head, features)
        total = part.double() if total is None else total + part
    assert total is not None
    return total


def decomposed(
    curvature: Float[Tensor, "block weight weight"],
) -> tuple[Float[Tensor, "block value"], Float[Tensor, "block weight value"]]:
    """Eigenvalues, of which rounding may not make any negative, and eigenvectors."""
    values, vectors = torch.linalg.eigh(curvature)
    return values.clamp_min(0.0), vectors


def output_covariances(
    values: Float[Tensor, "block value"],
    vectors: Float[Tensor, "block weight value"],
    precision: float,
    num_outputs: int,
) -> Float[Tensor, "output feature feature"]:
    """The covariance of the weights of every output, its bias last, under a prior with this precision."""
    own = vectors if len(vectors) == num_outputs else vectors[0].unflatten(0, (num_outputs, -1))
    return own / (values + precision)[:, None] @ own.transpose(1, 2)


def output_variances(
    features: Float[Tensor, "batch feature"], covariances: Float[Tensor, "output feature feature"]
) -> Float[Tensor, "batch output"]:
    """Of every output that is linear in the features."""
    return torch.einsum("bi,cij,bj->bc", features, covariances, features)


def _products(
    by_head: Float[Tensor, "batch output output"], features: Float[Tensor, "batch feature"]
) -> Float[Tensor, "1 weight weight"]:
    """The sum over examples of by_head ⊗ φ φᵀ, one output after another to save memory."""
    rows = [
        (columns[:, :, None] * features[:, None]).flatten(1).T @ features for columns in by_head.unbind(1)
    ]
    num_outputs, width = by_head.shape[1], features.shape[1]
    # of row o: (other output, other feature, feature)
    whole = torch.stack(rows).unflatten(1, (num_outputs, width)).permute(0, 3, 1, 2)
    return whole.reshape(1, num_outputs * width, num_outputs * width)


def _own_products(
    by_head: Float[Tensor, "batch output output"], features: Float[Tensor, "batch feature"]
) -> Float[Tensor, "output feature feature"]:
    """The blocks of `_products` that are on its diagonal."""
    weights = by_head.diagonal(dim1=1, dim2=2)
    rows = (weights[:, :, None] * features[:, None]).flatten(1)
    return (rows.T @ features).unflatten(0, (weights.shape[1], -1))


def with_one(x: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch more"]:
    """Features with a 1 beside them, which the bias multiplies."""
    return torch.cat((x, torch.ones_like(x[:, :1])), 1)
