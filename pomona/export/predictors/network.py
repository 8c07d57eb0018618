"""A single network as an artifact: its Spec, its weights and, where it can be exported, its ONNX file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from pomona.export.prediction import Predicting
from pomona.export.predictors.predictor import Predictor
from pomona.export.predictors.saving import describe_task, save
from pomona.export.sessions.torch import TorchSession
from pomona.export.weights import read_weights, weights_bytes
from pomona.foundation.artifact import Artifact
from pomona.foundation.artifact.integrity import file_sha256
from pomona.foundation.errors import ArtifactError
from pomona.networks.block_kind import BlockKind
from pomona.networks.blocks import BLOCKS
from pomona.networks.build import build
from pomona.networks.named import known_blocks
from pomona.networks.spec import Spec
from pomona.tasks.batch import Batch
from pomona.tasks.feature import Feature
from pomona.tasks.task import Task

WEIGHTS_FILE = "weights.safetensors"


def save_network(
    folder: str | Path,
    task: Task,
    spec: Spec,
    state: Mapping[str, Tensor],
    *,
    example: Batch | None = None,
    calibration: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    card: str = "",
    blocks: str | Path | None = None,
) -> Path:
    """Writes a trained network as an artifact; returns the folder.

    `example` is a prepared batch on which the ONNX file is compared with torch; without it none is made.
    `calibration` is plain data, of which "temperature" (head → number) is applied to predictions. `blocks`
    is the file of the user's own blocks: its hash is kept, not the file.
    """
    own = Path(blocks) if blocks is not None and _has_own_blocks(spec.to_json()) else None
    artifact = describe_task(
        task,
        "network",
        spec=spec.to_json(),
        calibration=calibration or {},
        metrics=metrics or {},
        card=card,
        blocks_sha256=own and file_sha256(own),
    )
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    module = _module(spec, tensors, artifact, known_blocks(None if blocks is None else Path(blocks)))
    files = {WEIGHTS_FILE: weights_bytes(tensors)}
    return save(Path(folder), task, artifact, module, example=example, files=files)


def load_network(folder: Path, artifact: Artifact, *, blocks: str | Path | None = None) -> Predictor:
    """The predictor of a network's artifact, in torch."""
    return Predictor(artifact, TorchSession(network_module(folder, artifact, blocks=blocks)))


def network_module(folder: Path, artifact: Artifact, *, blocks: str | Path | None = None) -> Predicting:
    """The network of an artifact, its heads turned into predictions; `.network` has the raw ones.

    Raises ArtifactError when it needs other blocks than the user gave, or its weights are not those of its
    Spec.
    """
    check_blocks(folder, artifact, blocks)
    path = folder / WEIGHTS_FILE
    state = read_weights(path)
    try:
        return _module(
            Spec.from_json(artifact.spec),
            state,
            artifact,
            known_blocks(None if blocks is None else Path(blocks)),
        )
    except RuntimeError as error:
        first = str(error).splitlines()[:2][-1].strip()
        raise ArtifactError(f"{path} does not fit the network: {first}") from error


def check_blocks(folder: Path, artifact: Artifact, blocks: str | Path | None) -> None:
    """Raises ArtifactError unless `blocks` is the file that the artifact was made with, if any."""
    if artifact.blocks_sha256 is None:
        return
    if blocks is None:
        raise ArtifactError(f"{folder} was made with blocks of your own: give their file with --blocks")
    if file_sha256(Path(blocks)) != artifact.blocks_sha256:
        raise ArtifactError(
            f"{blocks} is not the file of blocks that {folder} was made with: give that version"
        )


def _has_own_blocks(plain: Any) -> bool:
    """Whether a network as plain data, or one nested in it, has a block that is not Pomona's."""
    if isinstance(plain, Mapping):
        is_own = {"id", "block"} <= set(plain) and plain["block"] not in BLOCKS
        return is_own or any(_has_own_blocks(value) for value in plain.values())
    return isinstance(plain, list) and any(_has_own_blocks(value) for value in plain)


def _module(
    spec: Spec, state: Mapping[str, Tensor], artifact: Artifact, blocks: Mapping[str, BlockKind]
) -> Predicting:
    network = build(spec, 0, blocks=blocks)
    network.load_state_dict(dict(state))
    targets = {name: Feature.from_json(feature) for name, feature in artifact.targets.items()}
    return Predicting(network, artifact.task_kind, targets, artifact.calibration.get("temperature")).eval()
