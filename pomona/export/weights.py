"""Weights in a file and back: safetensors, with tensors that have many zeros compressed."""

from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from pomona.foundation.artifact.compressed import compress, decompress
from pomona.foundation.errors import ArtifactError


def weights_bytes(state: Mapping[str, Tensor]) -> bytes:
    """The content of a file that `read_weights` turns back into `state`, to the bit."""
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    # NumPy has no bfloat16: such tensors stay as they are
    arrays = {name: t.numpy() for name, t in tensors.items() if t.dtype is not torch.bfloat16}
    stored, metadata = compress(arrays)
    parts = {name: torch.from_numpy(array) for name, array in stored.items()}
    rest = {name: tensor for name, tensor in tensors.items() if name not in arrays}
    return safetensors.torch.save({**parts, **rest}, metadata=metadata or None)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a file. Raises ArtifactError when it is not whole."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata()
    except (safetensors.SafetensorError, OSError) as error:
        raise ArtifactError(f"{path} is not readable as safetensors: {error}") from error
    arrays = {name: t.numpy() for name, t in stored.items() if t.dtype is not torch.bfloat16}
    try:
        whole = decompress(arrays, metadata)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from error
    found = {name: torch.from_numpy(array) for name, array in whole.items()}
    return found | {name: tensor for name, tensor in stored.items() if name not in arrays}


def dense_bytes(state: Mapping[str, Tensor]) -> int:
    """The size of the file that the weights would have uncompressed."""
    return len(
        safetensors.torch.save({name: t.detach().cpu().contiguous().clone() for name, t in state.items()})
    )


def in_half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state with matrices and kernels rounded to what half precision holds, in the types they had.

    A tensor with a number that is too large for it stays as it is.
    """
    found = dict(state)
    for name, tensor in state.items():
        if tensor.is_floating_point() and tensor.ndim >= 2:
            rounded = tensor.half().to(tensor.dtype)
            found[name] = rounded if bool(rounded.isfinite().all()) else tensor
    return found
