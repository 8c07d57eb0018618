"""What the report shows of an export."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pomona.foundation.report import bars, table, text, write_section


def write_export_sections(folder: Path, result: Mapping[str, Any]) -> None:
    """Writes the section into the run's folder."""
    files: Mapping[str, Mapping[str, Any]] = result["files"]
    columns = [
        "form",
        "file",
        ("size", "bytes"),
        "difference",
        ("same decisions", "percent"),
        "quality",
        "of the artifact",
        ("latency", "number", "ms"),
    ]
    rows = [
        [
            name,
            one["file"],
            one["bytes"],
            one["difference"],
            one["agreement"],
            one["quality"] and one["quality"]["value"],
            one["quality"] and one["quality"]["reference"],
            one["latency_ms"],
        ]
        for name, one in files.items()
    ]
    caption = "difference: the largest, by the largest entry of a head; latency: of one example, one call"
    times = {name: (one["latency_ms"], *one["latency_interval"]) for name, one in files.items()}
    items = [table(columns, rows, caption=caption), bars(times, "ms for one example")]
    items += [text(_verdict(name, one)) for name, one in files.items()]
    write_section(folder, 10, "files", "Files", items, f"From {result['source']}.")


def _verdict(name: str, one: Mapping[str, Any]) -> str:
    examples = "real examples" if one["on_real_examples"] else "made-up examples: the task could not be had"
    said = f"{name}: differs from the artifact by {one['difference']:.2g} on {examples}."
    quality = one["quality"]
    if quality is None:
        return f"{said} Its quality was not measured."
    verdict = "within" if quality["met"] else "MORE THAN"
    lost = max(0.0, 1 - quality["share"])
    return (
        f"{said} On {quality['examples']} test examples its {quality['metric']} is {quality['value']:.4g}, "
        f"the artifact's {quality['reference']:.4g}: {lost:.2%} lost, {verdict} the "
        f"{1 - quality['target']:.2%} allowed."
    )
