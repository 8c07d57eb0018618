"""Laplace's approximation with Kronecker factors of every layer (Ritter et al. 2018), linearised."""

from collections import Counter
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pomona.fit.evaluate import place_of
from pomona.fit.feeds import held_out, to_tensors
from pomona.fit.objectives import Tensors
from pomona.fit.trials.space import Float as FloatRange
from pomona.fit.trials.space import Space
from pomona.foundation.errors import SpecError
from pomona.foundation.randomness import stream_seed
from pomona.foundation.run import Run
from pomona.networks.spec import Spec
from pomona.question.uncertainty.methods.answering import Raw, answer, fitted
from pomona.question.uncertainty.methods.evidence import best_precision
from pomona.question.uncertainty.methods.head_of import head_of
from pomona.question.uncertainty.methods.kronecker import (
    KroneckerBlock,
    kronecker_block,
    variances_of,
    variances_of_outer,
)
from pomona.question.uncertainty.methods.laplace_answer import noise_variance, raw_of
from pomona.question.uncertainty.methods.leaf_gradients import LeafCall, leaf_calls, output_gradients
from pomona.question.uncertainty.methods.loss_curvature import curvature_columns
from pomona.question.uncertainty.methods.member_network import heads_of_members
from pomona.question.uncertainty.methods.method import Fitted, only_target
from pomona.question.uncertainty.methods.prior_precision import DEFAULTS, prior_precision
from pomona.question.uncertainty.methods.settings import MethodSettings
from pomona.question.uncertainty.methods.training import train
from pomona.tasks.source import batches
from pomona.tasks.task import Task

SPACE = Space({"prior_precision": FloatRange(0.1, 1e4, log=True)})

EXAMPLES_AT_ONCE = 64

MOST_OUTPUTS = 20
"""Up to here every output has its exact variance; beyond, the linearised network is drawn from."""

NUM_DRAWS = 30

STEP = 1e-2
"""Of the differences that stand for derivatives along a draw, as a share of the draw."""


def laplace_kronecker(task: Task, spec: Spec, settings: MethodSettings, *, run: Run, name: str) -> Fitted:
    """A usual fit, whose linear and convolutional layers get a normal law around their weights.

    The prior has mean 0 and `prior_precision`; 0 takes one chosen by validation or evidence. Answers are
    those of the network linearised at its weights: classes by the probit approximation, or by draws where
    there are more than 20. Other layers, and convolutions in groups, keep their weights.
    """
    target, own = only_target(task).name, settings.chosen(DEFAULTS)
    trained = train(task, spec, settings.fit, run=run, name=name)
    network = trained.network
    noise = noise_variance(task, network)
    num_outputs = head_of(network, target)[1].linear.out_features
    generator = torch.Generator().manual_seed(stream_seed(run.seed, "labels", name))
    blocks = kronecker_blocks(task, network, noise, generator)

    def variances(inputs: Tensors, precisions: Tensor) -> tuple[Tensor, Tensor]:
        head, flat = head_variances(network, inputs, target, blocks, precisions)
        return head, flat.reshape(-1, *head.shape)

    precision = prior_precision(task, network, own, lambda: evident_precision(network, blocks), variances)

    draws: Tensors = {}
    if num_outputs > MOST_OUTPUTS:
        seed = stream_seed(run.seed, "weights", name)
        draws = weight_draws(network, blocks, precision, torch.Generator().manual_seed(seed))

    def raw_heads(inputs: Tensors) -> Raw:
        if draws:
            return Raw(linearised_members(network, inputs, target, draws))
        head, found = variances(inputs, torch.tensor([precision]))
        return raw_of(task, head, found[0])

    extra = {"prior_precision": torch.tensor(precision)}
    for key, block in blocks.items():
        extra |= {f"curvature.{key}.{part}": tensor for part, tensor in vars(block).items()}
    # a gradient costs as much as two ways forward
    passes = 1 + 2 * min(num_outputs, NUM_DRAWS)
    return fitted([trained], spec, answer(task, network, raw_heads), settings, passes=passes, extra=extra)


def kronecker_blocks(
    task: Task, network: nn.Module, noise: float, generator: torch.Generator
) -> dict[str, KroneckerBlock]:
    """Name of a weight or bias → the curvature of the loss summed over the training examples.

    Where a layer is used at several places they count as examples of their own ("expand", Eschenhagen et al.
    2023). Raises SpecError when no layer has such a curvature.
    """
    target, place = only_target(task).name, place_of(network)
    left: dict[str, Tensor] = {}
    right: dict[str, Tensor] = {}
    places: dict[str, int] = {}
    for batch in batches(held_out(task.splits["train"], name="train", seed=0), EXAMPLES_AT_ONCE):
        head, calls = leaf_calls(network, to_tensors(batch, task, place), target)
        for column in curvature_columns(head, task.kind, noise, generator):
            gradients = output_gradients(head, column, calls)
            for call, gradient in zip(calls, gradients, strict=True):
                if gradient is not None:
                    flat = gradient.flatten(0, 1)
                    left[call.name] = left.get(call.name, 0.0) + (flat.T @ flat).double()
        for call in calls:
            flat = call.read.flatten(0, 1)
            right[call.name] = right.get(call.name, 0.0) + (flat.T @ flat).double()
            places[call.name] = places.get(call.name, 0) + len(flat)
    blocks = {}
    parameters = dict(network.named_parameters())
    for key, outputs in left.items():
        blocks[f"{key}.weight"] = kronecker_block(outputs, right[key] / places[key])
        if f"{key}.bias" in parameters:
            one = torch.ones(1, 1, dtype=torch.float64)
            blocks[f"{key}.bias"] = kronecker_block(outputs, one)
    if not blocks:
        raise SpecError("this method needs a network with linear or convolutional layers")
    return blocks


def evident_precision(network: nn.Module, blocks: Mapping[str, KroneckerBlock]) -> float:
    """The precision of the prior that makes the data most likely."""
    parameters = dict(network.named_parameters())
    square = sum(float(parameters[key].detach().double().square().sum()) for key in blocks)
    return best_precision(torch.cat([block.eigenvalues.flatten() for block in blocks.values()]), square)


def head_variances(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    target: str,
    blocks: Mapping[str, KroneckerBlock],
    precisions: Float[Tensor, " prior"],
) -> tuple[Tensor, Float[Tensor, "prior batch output"]]:
    """The raw head, and the variance of each of its numbers in the linearised network, under each prior."""
    size = len(next(iter(inputs.values())))
    weight = next(network.parameters())
    shares = {key: block.shares(precisions).to(weight) for key, block in blocks.items()}
    heads, found_of_parts = [], []
    for start in range(0, size, EXAMPLES_AT_ONCE):
        part = {name: tensor[start : start + EXAMPLES_AT_ONCE] for name, tensor in inputs.items()}
        with torch.no_grad():
            heads.append(network(part)[target])
        head, calls = leaf_calls(network, part, target)
        columns = torch.eye(head.shape[1], dtype=head.dtype)
        reads = [_turned_read(call, blocks, num_columns=len(columns)) for call in calls]
        found = []
        for column in columns:
            gradients = output_gradients(head, column.expand_as(head), calls)
            found.append(_variance(calls, gradients, reads, blocks, shares))
        found_of_parts.append(torch.stack(found, 2))
    return torch.cat(heads), torch.cat(found_of_parts, 1).to(heads[0].dtype)


def weight_draws(
    network: nn.Module,
    blocks: Mapping[str, KroneckerBlock],
    precision: float,
    generator: torch.Generator,
    num_draws: int = NUM_DRAWS,
) -> Tensors:
    """How far draws of the weights are from those of the network, (member, *shape) each."""
    weights = dict(network.named_parameters())
    return {
        key: block.drawn(num_draws, precision, generator)
        .reshape(num_draws, *weights[key].shape)
        .to(weights[key])
        for key, block in blocks.items()
    }


def linearised_members(
    network: nn.Module, inputs: Mapping[str, Tensor], target: str, draws: Mapping[str, Tensor]
) -> Float[Tensor, "member batch ..."]:
    """Raw heads of the network linearised at its weights, for draws of the weights.

    The derivative along a draw is a central difference: it costs two ways forward whatever the outputs are.
    """
    weights = dict(network.named_parameters())
    ahead, behind = (
        {key: weights[key] + step * shift for key, shift in draws.items()} for step in (STEP, -STEP)
    )
    slopes = heads_of_members(network, ahead, inputs, target)
    slopes = (slopes - heads_of_members(network, behind, inputs, target)) / (2 * STEP)
    return network(inputs)[target] + slopes


def _turned_read(
    call: LeafCall, blocks: Mapping[str, KroneckerBlock], *, num_columns: int
) -> Float[Tensor, "batch place input"] | None:
    """What a leaf reads along the eigenvectors of its inputs, where that costs less than to turn gradients.

    What is read is turned once for all columns of the head, place by place; a gradient for every column,
    output by output.
    """
    block = blocks.get(f"{call.name}.weight")
    if block is None or call.read.shape[1] > num_columns * len(block.left_values):
        return None
    return call.read @ block.right_vectors.to(call.read)


def _variance(
    calls: list[LeafCall],
    gradients: list[Tensor | None],
    reads: list[Tensor | None],
    blocks: Mapping[str, KroneckerBlock],
    shares: Mapping[str, Tensor],
) -> Float[Tensor, "prior batch"]:
    """Of one output of every example."""
    uses = Counter(call.name for call in calls)
    by_weight: dict[str, Tensor] = {}
    found: list[Tensor] = []
    for call, gradient, read in zip(calls, gradients, reads, strict=True):
        if gradient is None:
            continue
        weight, bias = f"{call.name}.weight", f"{call.name}.bias"
        products = {}
        if read is None:
            products[weight] = blocks[weight].turned(gradient.transpose(1, 2) @ call.read)
        else:
            given = gradient @ blocks[weight].left_vectors.to(gradient)
            if uses[call.name] == 1 and given.shape[1] == 1:
                found.append(variances_of_outer(given[:, 0], read[:, 0], shares[weight]))
            else:
                products[weight] = given.transpose(1, 2) @ read
        if bias in blocks:
            products[bias] = blocks[bias].turned(gradient.sum(1)[:, :, None])
        for key, product in products.items():
            # a layer that is used twice has the sum of both gradients
            by_weight[key] = by_weight.get(key, 0.0) + product
    found += [variances_of(value, shares[key]) for key, value in by_weight.items()]
    return torch.stack(found).sum(0)
