"""Which weights of a network are matrices or kernels of its leaves, and which go with them."""

from torch import Tensor, nn

MATRIX_LEAVES = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.LSTM, nn.GRU)
"""The leaves that multiply by a matrix or a kernel: their weights have outputs first, then inputs."""


def matrix_weights(network: nn.Module) -> dict[str, Tensor]:
    """Name → matrix or kernel, (output, input, …)."""
    return {name: weight for name, weight in _weights(network).items() if weight.ndim >= 2}


def vector_weights(network: nn.Module) -> dict[str, Tensor]:
    """Name → bias of the leaves that have matrices, (output)."""
    return {name: weight for name, weight in _weights(network).items() if weight.ndim == 1}


def flat_key(name: str) -> str:
    """A weight's name as a name of one level: a module's own parameters have no dots in their names."""
    return name.replace(".", "/")


def _weights(network: nn.Module) -> dict[str, Tensor]:
    return {
        f"{path}.{name}".lstrip("."): weight
        for path, part in network.named_modules()
        if type(part) in MATRIX_LEAVES
        for name, weight in part.named_parameters(recurse=False)
    }
