"""One self-contained HTML file from a folder's sections: no network, no other file, light and dark."""

import base64
import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pomona.foundation.artifact import Artifact, is_artifact, read_artifact, read_sections
from pomona.foundation.errors import ArtifactError
from pomona.foundation.files import read_json, write_bytes
from pomona.foundation.report.cells import table_alignments, table_cells
from pomona.foundation.report.drawing import DRAWINGS
from pomona.foundation.report.formats import show
from pomona.foundation.report.items import Item, Section
from pomona.foundation.report.reading import check_section
from pomona.foundation.run_folder import RUN_FILE
from pomona.foundation.version import version

REPORT_FILE = "report.html"

# kinds that stand side by side where there is room
HALF_WIDTH = {"line", "scatter", "bars", "matrix", "graph"}


def write_report(folder: Path, *, title: str = "", facts: Mapping[str, Any] | None = None) -> Path:
    """Writes folder/report.html from folder/sections/*.json, in the order of their names; returns its path.

    An artifact's description and card are shown as well. `title` and `facts` (name → value) stand on top and
    default to those of the artifact or run. Raises ArtifactError for a folder without sections and, naming
    file and item, for a section that is wrong.
    """
    folder = Path(folder)
    plain = read_sections(folder)
    if not plain:
        raise ArtifactError(
            f"{folder} has no sections/*.json to make a report of: give the folder of a finished run"
        )
    sections = [check_section(section, f"sections/{name}.json") for name, section in plain.items()]
    artifact = read_artifact(folder) if is_artifact(folder) else None
    own_title, own_facts = _of_artifact(artifact) if artifact else _of_run(folder)
    page = render(
        sections,
        title=title or own_title,
        facts={name: show(value) for name, value in (own_facts if facts is None else facts).items()},
        card=artifact.card if artifact else "",
    )
    path = folder / REPORT_FILE
    write_bytes(path, page.encode())
    return path


def render(
    sections: list[Section], *, title: str, facts: Mapping[str, str] | None = None, card: str = ""
) -> str:
    """The whole page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pomona.foundation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        show=show, table_cells=table_cells, table_alignments=table_alignments, png_size=_png_size, draw=_draw
    )
    script = _template("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html").render(
        title=title,
        facts=facts or {},
        card=card,
        sections=[(section, _widths(section.items)) for section in sections],
        style=Markup(_template("report.css")),
        script=Markup(script),
        # nothing may be loaded, and no script but the page's own may run
        policy=f"default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'",
        version=version(),
    )


def _of_artifact(artifact: Artifact) -> tuple[str, dict[str, Any]]:
    return artifact.task_name, {
        "task": artifact.task_name,
        "kind": artifact.task_kind,
        "predictor": artifact.kind,
        "made": artifact.created.replace("T", " ").replace("+00:00", " UTC"),
        "Pomona": artifact.pomona,
    }


def _of_run(folder: Path) -> tuple[str, dict[str, Any]]:
    path = folder / RUN_FILE
    if not path.exists():
        return folder.resolve().name, {}
    run = read_json(path)
    title = f"{run['verb']} {Path(run['subject']).name}"
    return title, {"seed": run["seed"], "run": run["hash"], "Pomona": version()}


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _draw(item: Item) -> Markup | None:
    return DRAWINGS[item.kind](item) if item.kind in DRAWINGS else None


def _widths(items: tuple[Item, ...]) -> list[tuple[Item, str]]:
    # charts that follow each other pair up; one that is left over takes the whole width
    widths: list[tuple[Item, str]] = []
    waiting = False
    for index, item in enumerate(items):
        is_half = item.kind in HALF_WIDTH
        has_partner = waiting or (is_half and index + 1 < len(items) and items[index + 1].kind in HALF_WIDTH)
        widths.append((item, "half" if is_half and has_partner else "full"))
        waiting = is_half and has_partner and not waiting
    return widths


def _png_size(png: str) -> tuple[int, int]:
    """Width and height in pixels, from the file's header."""
    header = base64.b64decode(png[:64])
    return struct.unpack(">II", header[16:24]) if len(header) >= 24 else (0, 0)
