"""Networks that start from weights which others trained: a folder in place of a network's name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from pomona.foundation.artifact.integrity import file_sha256
from pomona.networks.named import named_spec
from pomona.networks.spec import Spec
from pomona.networks.vit_checkpoint import is_checkpoint, read_vit
from pomona.networks.vit_weights import network_for_task
from pomona.tasks.task import Task


@dataclass(frozen=True, eq=False)
class Beginning:
    """The network of a fit before its first step."""

    spec: Spec
    weights: Mapping[str, Tensor] | None
    """All of them; None where they are to be drawn."""
    hashes: tuple[str, ...]
    """SHA-256 of the files that the weights are from."""


def beginning(network: str, task: Task) -> Beginning:
    """What a name, a JSON file or a checkpoint's folder means for a task.

    Raises SettingError, SpecError, or ArtifactError for a checkpoint of another kind.
    """
    folder = Path(network)
    if not is_checkpoint(folder):
        return Beginning(named_spec(network, task), None, ())
    spec, weights = network_for_task(read_vit(folder), task)
    return Beginning(spec, weights, tuple(file_sha256(path) for path in sorted(folder.glob("*.safetensors"))))
