"""Writes docs/RESULTS.md from benchmarks/results/*.json.

    python benchmarks/results_page.py

Every result has `benchmark`, `unit`, `bar`, `command`, `machine` and `date`; a list of objects, or objects
under names, become a table; other plain fields become a list.
"""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "RESULTS.md"
HEAD = ("benchmark", "unit", "bar", "command", "machine", "date")


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page as it should be, from what is recorded."""
    parts = [
        "# Results\n\nMade by `python benchmarks/results_page.py` from `benchmarks/results`. Ours and rivals "
        "run in turn on one machine; intervals are of 95 %. No number here is a paper's.\n"
    ]
    for path in sorted(RESULTS.glob("*.json")):
        parts.append(section(json.loads(path.read_text(encoding="utf-8"))))
    return "\n".join(parts)


def section(result: dict[str, Any]) -> str:
    """One benchmark."""
    lines = [f"## {result['benchmark']}", "", f"{result['unit']}; the bar is {show(result['bar'])}.", ""]
    lines += [f"`{result['command']}`, on {result['machine']}, {result['date']}.", ""]
    rest = {name: value for name, value in result.items() if name not in HEAD}
    named = [{"": name, **value} for name, value in rest.items() if isinstance(value, dict)]
    listed = [row for value in rest.values() if is_rows(value) for row in value]
    lines += table(named) + table(listed)
    plain = {n: v for n, v in rest.items() if not isinstance(v, dict) and not is_rows(v)}
    return "\n".join([*lines, ", ".join(f"{name} {show(value)}" for name, value in plain.items()), ""])


def is_rows(value: Any) -> bool:
    """Whether a field is a list of objects."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Objects as a table, a row each; nothing for none."""
    if not rows:
        return []
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    lines += [f"| {' | '.join(show(row.get(name)) for name in columns)} |" for row in rows]
    return [*lines, ""]


def show(value: Any) -> str:
    """A value for people."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(show, value))
    return "" if value is None else str(value)


if __name__ == "__main__":
    main()
