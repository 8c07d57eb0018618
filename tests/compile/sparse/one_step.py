"""Plans of one step with random weights, for tests of the program."""

import numpy as np

from pomona.compile.sparse.plan import Plan, Step, Tensor

ACTIVATIONS = {
    "none": {},
    "clip": {"lower": -0.5, "upper": 1.5},
    "sigmoid": {},
    "hard_sigmoid": {"alpha": 0.2, "beta": 0.4},
    "hard_swish": {},
    "silu": {},
    "tanh": {},
    "gelu": {},
    "prelu": {},
}


def plan_of(op: str, shapes: list[tuple[int, ...]], output: tuple[int, ...], **parts) -> Plan:
    """A plan whose inputs have `shapes`; `parts` are the step's weights, settings, and names."""
    inputs = tuple(Tensor(f"x{index}", shape) for index, shape in enumerate(shapes))
    tensors = {tensor.name: tensor for tensor in (*inputs, Tensor("y", output))}
    names = tuple(parts.pop("inputs", [tensor.name for tensor in inputs]))
    return Plan(inputs, tensors, (Step(op, names, "y", **parts),), ("y",))


def activated(name: str, channels: int, generator: np.random.Generator) -> tuple[dict, dict]:
    """(weights, settings) that an activation adds to a step."""
    weights = {"slope": normal(generator, channels)} if name == "prelu" else {}
    return weights, {"activation": name, **ACTIVATIONS[name]}


def normal(generator: np.random.Generator, *shape: int) -> np.ndarray:
    """Float32 from the standard normal distribution."""
    return generator.standard_normal(shape).astype(np.float32)


def sparse(generator: np.random.Generator, shape: tuple[int, int], sparsity: float, block: int) -> np.ndarray:
    """A weight (out, in) with blocks of output channels set to zero."""
    kept = generator.random((-(-shape[0] // block), shape[1])) >= sparsity
    return normal(generator, *shape) * np.repeat(kept, block, axis=0)[: shape[0]]


def window_size(size: int, kernel: int, stride: int, before: int, after: int, dilation: int = 1) -> int:
    """How many windows fit."""
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1
