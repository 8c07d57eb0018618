"""Older formats of artifact.json, brought to the present one step at a time.

MIGRATIONS[n] maps plain data of format n to plain data of format n + 1; it is pure and looks at no file.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pomona.foundation.artifact.format import FORMAT_VERSION
from pomona.foundation.errors import ArtifactError

Plain = dict[str, Any]


def _to_2(plain: Plain) -> Plain:
    # format 1 nested the task, kept features as lists, and had hashes without sizes and no settings
    task = plain.pop("task")
    return {
        **plain,
        "task_name": task["name"],
        "task_kind": task["kind"],
        "inputs": {feature["name"]: feature for feature in plain["inputs"]},
        "targets": {feature["name"]: feature for feature in plain["targets"]},
        "settings": {},
        "blocks_sha256": None,
        "manifest": {
            name: {"sha256": sha256, "size_bytes": None} for name, sha256 in plain["manifest"].items()
        },
    }


def _to_3(plain: Plain) -> Plain:
    # weights may be compressed from 3 on; those of format 2 are read as they always were
    return plain


MIGRATIONS: dict[int, Callable[[Plain], Plain]] = {1: _to_2, 2: _to_3}


def migrate(
    plain: Mapping[str, Any],
    *,
    migrations: Mapping[int, Callable[[Plain], Plain]] = MIGRATIONS,
    wanted: int = FORMAT_VERSION,
) -> Plain:
    """`plain` in format `wanted`. Raises ArtifactError for a newer format, a missing step and broken data."""
    current: Plain = dict(plain)
    version = current.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ArtifactError(
            f"artifact.json: format_version should be a positive whole number, it is {version!r}"
        )
    if version > wanted:
        raise ArtifactError(
            f"the artifact has format {version}, this version of Pomona reads up to {wanted}: "
            "pip install --upgrade pomona-ml"
        )
    while version < wanted:
        if version not in migrations:
            raise ArtifactError(
                f"format {version} of artifacts is no longer read; open it with an older Pomona first"
            )
        try:
            current = {**migrations[version](dict(current)), "format_version": version + 1}
        except (KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"artifact.json says format {version} but does not have its fields: {error}"
            ) from error
        version += 1
    return current
