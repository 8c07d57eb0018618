"""docs/metrics.md says what METRICS says. Run this file to write the page anew."""

import math
from pathlib import Path

import pytest

from pomona.tasks.metrics import DEFAULT_METRICS, METRICS

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"

INTRODUCTION = """\
# Metrics

What each kind of task reports. The first metric of a kind is the one that is optimised; of several targets it
is their mean, errors counted by each target's scale. Weights count, padded steps do not. A metric that
has no meaning on the examples at hand (one class only, five classes or fewer for the top five, a target that
never varies) is absent rather than a number. Intervals are percentile bootstraps over examples.

In brackets stands what takes the place of examples in other kinds; "both" counts what is predicted and true.
"""

UNITS = {"target": "the target's unit", "": "—"}


def page() -> str:
    parts = [INTRODUCTION]
    for kind, defaults in DEFAULT_METRICS.items():
        others = [name for name, metric in METRICS.items() if kind in metric.kinds and name not in defaults]
        rows = [row(name) for name in (*defaults, *others)]
        head = "| metric | what it is | range | unit | better |\n|---|---|---|---|---|"
        said = f"\nOnly when asked for: {', '.join(others)}.\n" if others else ""
        parts.append(f"## {kind}\n\n{head}\n" + "\n".join(rows) + "\n" + said)
    return "\n".join(parts)


def row(name: str) -> str:
    metric = METRICS[name]
    low, high = map(end, metric.range)
    better = "higher" if metric.greater_is_better else "lower"
    unit = UNITS.get(metric.unit, metric.unit)
    return f"| `{name}` | {metric.formula} | {low} to {high} | {unit} | {better} |"


def end(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else "∞" if value > 0 else "−∞"


def test_the_page_of_metrics_is_the_table_of_metrics():
    if not PAGE.exists():
        pytest.skip("Pomona is installed without its documentation")
    assert PAGE.read_text(encoding="utf-8") == page(), f"run python {Path(__file__).name} to write it anew"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
