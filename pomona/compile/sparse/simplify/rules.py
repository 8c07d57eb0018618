"""The same network in fewer steps: normalisations folded into weights, activations and sums into layers.

Each rule looks at one step and those around it and gives the steps that replace it, or None. They are applied
until none applies. Values that the user or an external node reads are left as they are.
"""

from collections.abc import Callable
from dataclasses import replace

from pomona.compile.sparse.network import Network, key_of, made_by
from pomona.compile.sparse.simplify.activations import (
    activation_before_reshape,
    as_hard_sigmoid,
    gated,
    scale_into_hard_sigmoid,
    scale_into_product,
    with_activation,
)
from pomona.compile.sparse.simplify.layers import (
    as_linear,
    scaled_after,
    scaled_before,
    with_padding,
    with_residual,
    with_scale,
)
from pomona.compile.sparse.simplify.shapes import without_no_op, without_two_reshapes, without_two_transposes
from pomona.compile.sparse.simplify.surroundings import Change, Surroundings

RULES: tuple[Callable[[Surroundings, int], Change | None], ...] = (
    without_no_op,
    without_two_reshapes,
    without_two_transposes,
    scaled_after,
    scale_into_product,
    as_hard_sigmoid,
    scale_into_hard_sigmoid,
    gated,
    scaled_before,
    with_padding,
    as_linear,
    with_residual,
    activation_before_reshape,
    with_activation,
    with_scale,
)
"""In an order: a sum joins a layer before an activation does, which comes after it."""


def simplify(network: Network) -> Network:
    """The same network in fewer steps; its results differ by rounding only."""
    network = _with_living(network)
    changed = True
    while changed:
        changed = False
        for rule in RULES:
            network, applied = _applied(rule, network)
            changed |= applied
    return _with_living(network)


def _applied(rule: Callable[[Surroundings, int], Change | None], network: Network) -> tuple[Network, bool]:
    """The network after one pass of a rule over its steps, and whether it did anything."""
    around, position, applied = Surroundings(network), 0, False
    while position < len(around.steps):
        change = rule(around, position)
        if change is None:
            position += 1
            continue
        around = Surroundings(_with_living(change.applied(around.network)))
        position, applied = max(0, position - 1), True
    return around.network, applied


def _with_living(network: Network) -> Network:
    """Without steps that no output needs, and without their tensors."""
    needed = {key_of(value) for value in network.outputs.values()}
    kept = []
    for step in reversed(network.steps):
        if needed.intersection(made_by(step)):
            kept.append(step)
            needed.update(step.reads)
    steps = tuple(reversed(kept))
    names = {value.tensor for value in network.inputs.values()} | needed
    names.update(name for step in steps for name in made_by(step))
    tensors = {name: tensor for name, tensor in network.tensors.items() if name in names}
    return replace(network, steps=steps, tensors=tensors)
