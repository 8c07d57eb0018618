"""Graphs of the models that Pomona made."""

from pathlib import Path

import torch
from torch import nn

from pomona.compile.placement.capture.fx_graph import Captured
from pomona.compile.placement.capture.onnx_file import capture_onnx
from pomona.compile.placement.capture.torch_module import capture_forward, capture_training
from pomona.compile.placement.graph import Graph
from pomona.export.example import random_batch
from pomona.export.predictors.load import load
from pomona.export.predictors.onnx import ONNX_FILE
from pomona.export.predictors.predictor import Predictor
from pomona.export.sessions.torch import TorchSession
from pomona.foundation.errors import ArtifactError
from pomona.foundation.randomness import stream


def capture_artifact(
    folder: Path, *, training: bool = False, batch: int = 1, blocks: Path | None = None
) -> Captured | Graph:
    """What an artifact's network does for a batch of that size: predict, or make a training step.

    An artifact that does not run in torch gives the graph of its ONNX file. Raises ArtifactError where it has
    neither, or cannot be trained.
    """
    predictor = load(folder, blocks=blocks)
    module = artifact_module(predictor)
    if module is not None:
        return _captured(predictor, module, training, batch, folder.name)
    if training:
        raise ArtifactError(
            f"{folder} is of kind {predictor.kind}, which has no training step: leave out training"
        )
    if not (folder / ONNX_FILE).is_file():
        raise ArtifactError(f"{folder} is of kind {predictor.kind}, which has no network to place")
    return capture_onnx(folder / ONNX_FILE, name=folder.name, batch=batch)


def artifact_module(predictor: Predictor) -> nn.Module | None:
    """The module that gives an artifact's predictions; None where it does not run in torch."""
    return predictor.session.module if isinstance(predictor.session, TorchSession) else None


def _captured(predictor: Predictor, module: nn.Module, training: bool, batch: int, name: str) -> Captured:
    example = random_batch(predictor.inputs, batch, generator=stream(0, "placement"))
    inputs = {key: torch.as_tensor(array) for key, array in example.items()}
    if not training:
        return capture_forward(module.eval(), (inputs,), name=name)
    # the raw heads learn; what makes them predictions comes after
    network = getattr(module, "network", module)
    return capture_training(network.train(), (inputs,), name=name)
