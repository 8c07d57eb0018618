"""Whom a question is about: a task and a network, from a name, a path or an artifact."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from pomona.export.artifact_task import artifact_task, made_by
from pomona.fit.settings import FitSettings
from pomona.foundation.artifact import Artifact, is_artifact, read_artifact
from pomona.foundation.errors import ArtifactError
from pomona.networks.pretrained import beginning
from pomona.networks.spec import Spec
from pomona.tasks.load import load_task
from pomona.tasks.options import DataOptions
from pomona.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Subject:
    """A pipeline: examples, a network and how it is trained; of an artifact also its weights."""

    task: Task
    spec: Spec
    settings: FitSettings
    name: str
    """As the user named it, for titles and folders."""
    weights: Mapping[str, Tensor] | None
    """Those that are asked about; None where the question is about the pipeline."""


def resolve(
    subject: str | Path,
    network: str = "default",
    data: DataOptions = DataOptions(),
    *,
    task: str | None = None,
    settings: FitSettings | None = None,
) -> Subject:
    """The subject behind a task's name, a path to a user's data, or an artifact folder.

    An artifact brings its network, weights and, from the run that made it, its task and settings; `task`
    names the task or data where that run is gone or its data moved. Given `settings` decide; a `network`
    other than the default one is refused for an artifact. Raises InputError where something is missing or
    does not fit.
    """
    if not is_artifact(subject):
        found = load_task(task or subject, **data.given())
        start = beginning(network, found)
        return Subject(found, start.spec, settings or FitSettings(), str(subject), start.weights)
    folder = Path(subject)
    if network != "default":
        raise ArtifactError(f"{folder} has a network of its own: leave out --network {network}")
    artifact = read_artifact(folder)
    if artifact.kind != "network":
        raise ArtifactError(
            f"{folder} is of kind {artifact.kind}; a network's artifact is wanted, such as `pomona fit` makes"
        )
    found = artifact_task(folder, artifact, task=task, data=data)
    known = settings or _settings_of(made_by(folder))
    return Subject(found, Spec.from_json(artifact.spec), known, str(subject), _weights(folder, artifact))


def _settings_of(header: Mapping[str, Any]) -> FitSettings:
    identity = header.get("identity") or {}
    known = {field.name: identity[field.name] for field in fields(FitSettings) if field.name in identity}
    return replace(FitSettings(), **known)


def _weights(folder: Path, artifact: Artifact) -> dict[str, Tensor]:
    from pomona.export.predictors.network import network_module

    network = network_module(folder, artifact).network
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
