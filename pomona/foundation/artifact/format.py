"""What artifact.json holds: a predictor described by plain data, with a checksum over the description itself.

Feature, preprocessing and network descriptions are kept as the plain data that their own `to_json` made; the
floors that can run a predictor turn them back.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pomona.foundation.errors import ArtifactError
from pomona.foundation.files import to_json

FORMAT_VERSION = 3

# kind of predictor → the function (folder, artifact, *, blocks, runtime) that loads it. The table is closed:
# an artifact names a row of it and never code of its own.
PREDICTORS: dict[str, str] = {
    "network": "pomona.export.predictors.network:load_network",
    "ensemble": "pomona.export.predictors.ensemble:load_ensemble",
    "onnx": "pomona.export.predictors.onnx:load_onnx",
    "forecaster": "pomona.find.forecasting.predictor:load_forecaster",
}


@dataclass(frozen=True)
class Artifact:
    """A predictor as plain data. Its weights and its children lie beside it in the folder."""

    kind: str
    """A row of PREDICTORS."""
    task_name: str
    task_kind: str
    inputs: Mapping[str, Any]
    """Input name → the feature's plain data."""
    targets: Mapping[str, Any]
    preprocessing: Any = None
    """Plain data of the steps from a user's records to the inputs; None where there are none."""
    calibration: Mapping[str, Any] = field(default_factory=dict)
    spec: Any = None
    """Plain data of the network; None where the predictor is no single network."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What else this kind of predictor needs, e.g. the weights of an ensemble's members."""
    blocks_sha256: str | None = None
    """Hash of the user's own file of blocks, which then is needed to load the network."""
    children: tuple[str, ...] = ()
    """Sub-folders that are artifacts themselves, relative to this one."""
    card: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    """ISO 8601, UTC; filled in when the artifact is written."""
    pomona: str = ""
    """Version of Pomona that wrote the artifact; filled in when it is written."""


Manifest = dict[str, dict[str, Any]]

# the fields in artifact.json and their types; card and metrics are files of their own
_TYPES: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "task_name": (str,),
    "task_kind": (str,),
    "inputs": (dict,),
    "targets": (dict,),
    "preprocessing": (dict, list, type(None)),
    "calibration": (dict,),
    "spec": (dict, type(None)),
    "settings": (dict,),
    "blocks_sha256": (str, type(None)),
    "children": (list,),
    "created": (str,),
    "pomona": (str,),
}


def describe(artifact: Artifact, manifest: Manifest) -> dict[str, Any]:
    """The content of artifact.json."""
    plain = {name: getattr(artifact, name) for name in _TYPES}
    plain = json.loads(to_json({"format_version": FORMAT_VERSION, **plain, "manifest": manifest}))
    return {**plain, "checksum": checksum(plain)}


def checksum(plain: Mapping[str, Any]) -> str:
    """SHA-256 of a description without its checksum, the same for every order of keys and amount of space."""
    content = {key: value for key, value in plain.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def undescribe(plain: Mapping[str, Any], *, card: str, metrics: Mapping[str, Any]) -> Artifact:
    """The artifact that `describe` described. Raises ArtifactError for missing and wrongly typed fields."""
    for name, types in _TYPES.items():
        if name not in plain:
            raise ArtifactError(
                f"artifact.json lacks {name!r}: copy the artifact again from where it was made"
            )
        if not isinstance(plain[name], types):
            wanted = " or ".join("null" if t is type(None) else t.__name__ for t in types)
            raise ArtifactError(
                f"artifact.json: {name!r} should be {wanted}, it is {type(plain[name]).__name__}"
            )
    if plain["kind"] not in PREDICTORS:
        raise ArtifactError(
            f"artifact.json: no predictor of kind {plain['kind']!r} in this version of Pomona, which has "
            f"{', '.join(PREDICTORS)}; upgrade Pomona if the artifact is newer"
        )
    values = {name: plain[name] for name in _TYPES}
    return Artifact(**{**values, "children": tuple(plain["children"])}, card=card, metrics=metrics)
