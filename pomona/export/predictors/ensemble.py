"""An ensemble as an artifact: its members are sub-folders, its predictions the weighted mean of theirs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from pomona.export.prediction import Averaging
from pomona.export.predictors.network import network_module
from pomona.export.predictors.predictor import Predictor
from pomona.export.predictors.saving import describe_task, save
from pomona.export.sessions.torch import TorchSession
from pomona.foundation.artifact import Artifact, read_artifact
from pomona.foundation.errors import ArtifactError
from pomona.tasks.batch import Batch
from pomona.tasks.task import Task


def save_ensemble(
    folder: str | Path,
    task: Task,
    members: Mapping[str, Path],
    weights: Mapping[str, float],
    *,
    example: Batch | None = None,
    calibration: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    card: str = "",
    blocks: str | Path | None = None,
) -> Path:
    """Writes an ensemble of artifacts, which are copied, with the weight of each; returns the folder.

    What is averaged are the members' calibrated predictions; `calibration` is the ensemble's own and comes
    after. The other arguments are those of `save_network`. Raises ArtifactError when members are of another
    task.
    """
    _check_weights(members, weights)
    children = {name: Path(path) for name, path in members.items()}
    artifact = describe_task(
        task,
        "ensemble",
        settings={"weights": dict(weights)},
        calibration=calibration or {},
        metrics=metrics or {},
        card=card,
    )
    for path in children.values():
        _check_member(path, read_artifact(path), artifact)
    module = _averaging(children, artifact, blocks)
    return save(Path(folder), task, artifact, module, example=example, children=children)


def load_ensemble(folder: Path, artifact: Artifact, *, blocks: str | Path | None = None) -> Predictor:
    """The predictor of an ensemble's artifact, in torch."""
    return Predictor(artifact, TorchSession(ensemble_module(folder, artifact, blocks=blocks)))


def ensemble_module(folder: Path, artifact: Artifact, *, blocks: str | Path | None = None) -> Averaging:
    """The members of an ensemble's artifact, averaged."""
    return _averaging({name: folder / name for name in artifact.children}, artifact, blocks)


def _averaging(children: Mapping[str, Path], artifact: Artifact, blocks: str | Path | None) -> Averaging:
    weights = artifact.settings.get("weights", {})
    _check_weights(children, weights)
    members = [_member(path, blocks) for path in children.values()]
    temperatures = artifact.calibration.get("temperature")
    return Averaging(members, [weights[name] for name in children], artifact.task_kind, temperatures).eval()


def _member(folder: Path, blocks: str | Path | None) -> nn.Module:
    artifact = read_artifact(folder)
    if artifact.kind == "network":
        return network_module(folder, artifact, blocks=blocks)
    if artifact.kind == "ensemble":
        return ensemble_module(folder, artifact, blocks=blocks)
    raise ArtifactError(f"{folder}: a member of an ensemble is a network or an ensemble, not {artifact.kind}")


def _check_weights(members: Mapping[str, Path], weights: Any) -> None:
    is_right = isinstance(weights, Mapping) and set(weights) == set(members) and len(members) > 0
    if (
        not is_right
        or not all(0 <= float(w) < float("inf") for w in weights.values())
        or not sum(weights.values())
    ):
        raise ArtifactError(
            "an ensemble needs a weight of at least 0 for each member, not all of them 0; "
            f"got {weights} for {sorted(members)}"
        )


def _check_member(path: Path, member: Artifact, whole: Artifact) -> None:
    for field in ("task_kind", "inputs", "targets", "preprocessing"):
        if getattr(member, field) != getattr(whole, field):
            raise ArtifactError(
                f"{path} is no member of this ensemble: its {field.replace('_', ' ')} is another"
            )
