"""Sections: what a report says about an artifact, added by whoever found it out, after the model was written.

They are not in the manifest: a section never changes what is predicted.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.foundation.artifact.folder import is_artifact
from pomona.foundation.artifact.foreign import what_it_looks_like
from pomona.foundation.errors import ArtifactError
from pomona.foundation.files import write_json

SECTIONS_FOLDER = "sections"


def add_sections(folder: str | Path, sections: Mapping[str, Any]) -> None:
    """Writes each section as sections/NAME.json; one of the same name is replaced."""
    folder = Path(folder)
    if not is_artifact(folder):
        raise ArtifactError(f"no artifact: {what_it_looks_like(folder)}")
    for name in sections:
        if not re.fullmatch(r"\w[\w.\-]*", name):
            raise ArtifactError(
                f"a section's name is made of letters, digits, '-', '_' and '.'; got {name!r}"
            )
    for name, section in sections.items():
        write_json(folder / SECTIONS_FOLDER / f"{name}.json", section)


def read_sections(folder: str | Path) -> dict[str, Any]:
    """All sections by name, sorted. Raises ArtifactError for one that is not JSON."""
    sections = {}
    for path in sorted((Path(folder) / SECTIONS_FOLDER).glob("*.json")):
        try:
            sections[path.stem] = json.loads(path.read_bytes().decode("utf-8"))
        except (ValueError, RecursionError, OSError) as error:
            raise ArtifactError(f"{path} is not valid JSON ({error}): delete it or make it again") from error
    return sections
