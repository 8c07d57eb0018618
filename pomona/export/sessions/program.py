"""A session that runs a torch.export program."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from pomona.foundation.errors import ArtifactError


class ProgramSession:
    """Runs the program in a file that `export_program` wrote; `names` are the inputs it was made with.

    Raises ArtifactError when there is none.
    """

    def __init__(self, path: str | Path, names: Sequence[str], *, threads: int = 1):
        try:
            self._module = torch.export.load(path).module()
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ArtifactError(f"{path} is not readable as a program of torch.export: {reason}") from error
        self.threads = threads
        self._names = tuple(names)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Head → its output."""
        tensors = {name: torch.as_tensor(inputs[name]) for name in self._names}
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                heads = self._module(tensors)
        finally:
            torch.set_num_threads(before)
        return {name: head.numpy() for name, head in heads.items()}
