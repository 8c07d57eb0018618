"""A sensible small network for every kind of task."""

from pomona.networks.heads import head_block
from pomona.networks.spec import Block, Spec
from pomona.tasks.task import Task


def default_spec(task: Task) -> Spec:
    """The network that `fit` and `search` start from: by the kinds of inputs and targets."""
    blocks: list[Block] = []
    ((name, feature),) = task.inputs.items()
    if feature.kind == "image":
        blocks += [
            Block("stem", "convolution", {"width": 16}, (name,)),
            Block("body1", "residual", {"width": 16}, ("stem",)),
            Block("pool1", "pool", {}, ("body1",)),
            Block("body2", "residual", {"width": 64}, ("pool1",)),
            Block("vector", "global_pool", {}, ("body2",)),
        ]
    else:
        blocks += [
            Block("dense1", "dense", {"width": 64}, (name,)),
            Block("vector", "residual_dense", {}, ("dense1",)),
        ]
    heads = [head_block(task.kind, target, "vector", f"head_{name}") for name, target in task.targets.items()]
    return Spec(task.inputs, (*blocks, *heads), {name: f"head_{name}" for name in task.targets})
