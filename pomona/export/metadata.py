"""What an exported ONNX file says of itself: the artifact's description as properties, sealed by a hash.

The seal is the last field of the file. A protobuf message may be continued by more of its fields, so the seal
is appended to the model and can be checked by looking at bytes alone, before anything parses them.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pomona.foundation.artifact.format import Artifact, describe, undescribe
from pomona.foundation.artifact.migrations import migrate
from pomona.foundation.errors import ArtifactError
from pomona.foundation.files import to_json

_SEAL_KEY = b"pomona_sha256"
_DIGITS = 64


def metadata_of(artifact: Artifact) -> dict[str, str]:
    """The artifact as properties: each a field's JSON. The model's own kind is onnx."""
    plain = describe(artifact, {}) | {"kind": "onnx", "card": artifact.card, "metrics": artifact.metrics}
    left_out = ("manifest", "checksum", "children", "settings", "blocks_sha256")
    return {name: to_json(value) for name, value in plain.items() if name not in left_out}


def artifact_of(metadata: Mapping[str, str]) -> Artifact:
    """The artifact that `metadata_of` described. Raises ArtifactError when the model is not Pomona's."""
    if "format_version" not in metadata or "task_kind" not in metadata:
        raise ArtifactError("this ONNX model was not exported by Pomona: it says nothing of its task")
    try:
        plain = {name: json.loads(value) for name, value in metadata.items() if name != _SEAL_KEY.decode()}
    except ValueError as error:
        raise ArtifactError(f"the properties of the ONNX model are not valid JSON: {error}") from error
    plain = migrate({"children": [], "settings": {}, "blocks_sha256": None, **plain})
    card, metrics = plain.get("card", ""), plain.get("metrics", {})
    return undescribe(plain, card=card, metrics=metrics)


def seal(model: bytes) -> bytes:
    """The model with the hash of its bytes as its last property."""
    return model + _seal_field(hashlib.sha256(model).hexdigest())


def check_seal(path: Path) -> bytes:
    """The bytes of an exported file. Raises ArtifactError when they are not as they were written."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error
    size = len(_seal_field("0" * _DIGITS))
    model, found = content[:-size], content[-size:]
    if found[: size - _DIGITS] != _seal_field("0" * _DIGITS)[:-_DIGITS]:
        raise ArtifactError(
            f"{path} is truncated, or no ONNX file that Pomona exported: copy it again, or export it"
        )
    if found != _seal_field(hashlib.sha256(model).hexdigest()):
        raise ArtifactError(f"{path} was changed after it was exported (its SHA-256 differs): copy it again")
    return content


def _seal_field(digest: str) -> bytes:
    # ModelProto.metadata_props is field 14, an entry has key (1) and value (2), all are length-delimited
    value = digest.encode()
    entry = b"\x0a" + bytes([len(_SEAL_KEY)]) + _SEAL_KEY + b"\x12" + bytes([len(value)]) + value
    return b"\x72" + bytes([len(entry)]) + entry
