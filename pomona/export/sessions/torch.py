"""A session that runs a module in PyTorch."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn


class TorchSession:
    """Runs a module in evaluation mode, without gradients, on the device where its weights are."""

    def __init__(self, module: nn.Module, *, threads: int | None = None):
        self.module = module.eval()
        self.threads = threads or torch.get_num_threads()
        self._device = next((p.device for p in module.parameters()), torch.device("cpu"))

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Head → its output."""
        tensors = {
            name: torch.as_tensor(array).to(self._device)
            for name, array in inputs.items()
            if array.dtype != object
        }
        before = torch.get_num_threads()
        if before != self.threads:
            torch.set_num_threads(self.threads)
        try:
            with torch.inference_mode():
                heads = self.module(tensors)
        finally:
            if before != self.threads:
                torch.set_num_threads(before)
        return {name: head.cpu().numpy() for name, head in heads.items()}
