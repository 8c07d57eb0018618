"""The leaves: the closed set of modules that own weights.

Every weight of every network belongs to a module of one of these types, never to a module that holds others.
Whatever works on weights (pruning, BatchEnsemble, spectral norm, Laplace, private gradients, export,
inheritance) therefore needs one rule a leaf and then works on any network.
"""

from torch import nn

from pomona.nn.scale import Scale

LEAVES: tuple[type[nn.Module], ...] = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.LSTM,
    nn.GRU,
    nn.Embedding,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    Scale,
)


def weights_outside_leaves(module: nn.Module) -> list[str]:
    """The names of the parameters that a module of no leaf type owns; empty for every network of ours."""
    return [
        f"{path}.{name}".lstrip(".")
        for path, part in module.named_modules()
        for name, _ in part.named_parameters(recurse=False)
        if type(part) not in LEAVES
    ]
