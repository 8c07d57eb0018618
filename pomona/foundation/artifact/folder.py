"""Writing an artifact folder whole or not at all, and reading one with every file checked.

artifact.json       the predictor as data, with a manifest of the files below
weights.safetensors, model.onnx, …   what the predictor needs
metrics.json, card.md
NAME/               a child, an artifact itself; its artifact.json is in the manifest
sections/*.json, report.html         made from what is above, added later, not in the manifest
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pomona.foundation.artifact.foreign import what_it_looks_like
from pomona.foundation.artifact.format import PREDICTORS, Artifact, checksum, describe, undescribe
from pomona.foundation.artifact.integrity import check_manifest, inside, make_manifest
from pomona.foundation.artifact.migrations import migrate
from pomona.foundation.errors import ArtifactError, unknown_name
from pomona.foundation.files import new_folder, write_bytes, write_json
from pomona.foundation.version import version

ARTIFACT_FILE = "artifact.json"


def write_artifact(
    folder: str | Path,
    artifact: Artifact,
    *,
    files: Mapping[str, bytes | Path] | None = None,
    children: Mapping[str, Path] | None = None,
) -> Path:
    """Writes the artifact with its `files` and copies of its `children`; returns the folder.

    An older artifact of that name is replaced, anything else that lies there is left alone and ArtifactError
    raised. A crash leaves the old folder, the new one, or in the instant of replacing none.
    """
    folder, files, children = Path(folder), dict(files or {}), dict(children or {})
    if artifact.kind not in PREDICTORS:
        raise unknown_name("kind of predictor", artifact.kind, PREDICTORS)
    if folder.exists() and not is_artifact(folder) and (folder.is_file() or any(folder.iterdir())):
        raise ArtifactError(f"{folder} is there already and is no artifact: choose another folder")
    with new_folder(folder) as new:
        for name, content in files.items():
            if isinstance(content, bytes):
                write_bytes(inside(new, name), content)
            else:
                shutil.copyfile(content, inside(new, name))
        write_json(new / "metrics.json", artifact.metrics)
        write_bytes(new / "card.md", artifact.card.encode())
        for name, child in children.items():
            shutil.copytree(child, inside(new, name))
        listed = ["metrics.json", "card.md", *files, *(f"{name}/{ARTIFACT_FILE}" for name in children)]
        filled = replace(
            artifact,
            children=tuple(children),
            created=artifact.created or datetime.now(UTC).isoformat(timespec="seconds"),
            pomona=artifact.pomona or version(),
        )
        write_json(new / ARTIFACT_FILE, describe(filled, make_manifest(new, listed)))
    return folder


def read_artifact(folder: str | Path) -> Artifact:
    """The artifact in `folder`, in the present format, all files of its manifest checked.

    Of children the artifact.json is checked: read them in turn before use. Raises ArtifactError for anything
    that is no artifact, is newer than this Pomona, or is not as it was written.
    """
    folder = Path(folder)
    plain = _read_description(folder)
    try:
        current = migrate(plain)
        if plain["format_version"] >= 2 and plain.get("checksum") != checksum(plain):
            raise ArtifactError(f"{ARTIFACT_FILE} was changed after it was written: copy the artifact again")
        manifest = current.get("manifest")
        if not isinstance(manifest, dict) or not {"metrics.json", "card.md"} <= set(manifest):
            raise ArtifactError(f"{ARTIFACT_FILE} has no manifest of the artifact's files")
    except ArtifactError as error:
        raise ArtifactError(f"{folder}: {error}") from error
    check_manifest(folder, manifest)
    metrics = _read_object(folder / "metrics.json")
    try:
        artifact = undescribe(current, card=(folder / "card.md").read_text(encoding="utf-8"), metrics=metrics)
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{folder / 'card.md'} is not UTF-8 text") from error
    except ArtifactError as error:
        raise ArtifactError(f"{folder}: {error}") from error
    for child in artifact.children:
        inside(folder, child)
        if f"{child}/{ARTIFACT_FILE}" not in manifest:
            raise ArtifactError(
                f"{folder}: the child {child!r} is not in the manifest; do not use this artifact"
            )
    return artifact


def is_artifact(folder: str | Path) -> bool:
    """Whether the folder has an artifact.json; nothing is checked."""
    return (Path(folder) / ARTIFACT_FILE).is_file()


def _read_description(folder: Path) -> dict[str, Any]:
    if not is_artifact(folder):
        raise ArtifactError(f"no artifact: {what_it_looks_like(folder)}")
    plain = _read_object(folder / ARTIFACT_FILE)
    if "format_version" not in plain:
        raise ArtifactError(f"{folder / ARTIFACT_FILE} is not Pomona's: it has no format_version")
    return plain


def _read_object(path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} is not valid JSON ({error}): copy the artifact again") from error
    if not isinstance(plain, dict):
        raise ArtifactError(f"{path} should hold a JSON object, it holds {type(plain).__name__}")
    return plain
