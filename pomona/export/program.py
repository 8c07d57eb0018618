"""A torch.export program: the network for C++ and ahead-of-time compilers, without Python's code for it."""

import io
from pathlib import Path

import torch
from torch import nn

from pomona.export.quiet import quiet
from pomona.foundation.errors import SpecError
from pomona.foundation.files import write_bytes
from pomona.tasks.batch import Batch


def export_program(network: nn.Module, example: Batch, path: str | Path) -> Path:
    """Writes the program of `network` (`torch.export.load` reads it) with a dynamic batch; returns the path.

    `example` holds the inputs, and the masks of variable ones, for at least two examples. Raises SpecError
    when the network cannot be captured.
    """
    tensors = {name: torch.as_tensor(array) for name, array in example.items()}
    batch = torch.export.Dim("batch")
    content = io.BytesIO()
    try:
        with quiet():
            program = torch.export.export(
                network.eval(),
                (tensors,),
                dynamic_shapes=({name: {0: batch} for name in tensors},),
            )
            torch.export.save(program, content)
    except Exception as error:
        lines = (str(error).strip() or type(error).__name__).splitlines()
        raise SpecError(f"torch.export cannot capture the network: {lines[0]}") from error
    write_bytes(Path(path), content.getvalue())
    return Path(path)
