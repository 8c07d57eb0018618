"""All methods side by side, and what follows from that."""

from collections.abc import Mapping
from typing import Any

from pomona.foundation.report import number, numbers, table, text
from pomona.question.uncertainty.measures import MEASURES

PERCENT = ("accuracy", "accuracy_at_80", "coverage", "worst_class_coverage", "disagreement")
FIRST = {
    "classify": ("nll", "brier", "accuracy", "ece"),
    "regress": ("nll", "crps", "rmse", "coverage"),
}


def scores_section(
    kind: str, rows: Mapping[str, Mapping[str, Any]], best: str | None
) -> list[dict[str, Any]]:
    """The items of the section: the best method's figures, a plain sentence, and the table of all."""
    items: list[dict[str, Any]] = []
    if best is not None:
        items.append(numbers(*_figures(kind, rows[best])))
        items.append(text(finding(rows, best)))
    names = [name for name in MEASURES[kind] if any(name in row for row in rows.values())]
    columns = ["method", *((name, form_of(name)) for name in names), ("gain in nll", "number")]
    ordered = sorted(rows, key=lambda name: rows[name]["valid"].get("nll", float("inf")))
    cells = [
        [name, *(rows[name].get(measure) for measure in names), rows[name].get("nll_gain")]
        for name in ordered
    ]
    highlight = ordered.index(best) if best is not None else None
    caption = (
        "On test data, mean over seeds. In order of nll on validation data, which chose the marked one. The "
        "gain is over the plain network; what a method cannot be asked is left empty."
    )
    items.append(table(columns, cells, highlight=highlight, caption=caption))
    items.append(table(["measure", "what it is"], [[n, MEASURES[kind][n].formula] for n in names]))
    return items


def finding(rows: Mapping[str, Mapping[str, Any]], best: str) -> str:
    """What the comparison says, in a sentence or two."""
    row, plain = rows[best], rows.get("deterministic")
    said = f"On validation data {best} gives the truth the highest probability."
    if plain is None or best == "deterministic":
        return said
    costs = row["seconds_per_1000"] / max(plain["seconds_per_1000"], 1e-12)
    gain, (low, high) = row["nll_gain"], row["nll_gain_interval"]
    change = (
        f"On test data its nll is {abs(gain):.3g} nats {'lower' if gain > 0 else 'higher'} than that of the "
        f"plain network (95 % interval of the gain {low:.3g} to {high:.3g}, on the same examples)"
    )
    if low > 0:
        advice = "that is more than the luck of the examples"
    else:
        advice = "that may be the luck of the examples: take the plain one, or more data to tell"
    return f"{said} {change}: {advice}. An answer costs {costs:.2g} times as much time."


def form_of(measure: str) -> str:
    """How a report shows a measure."""
    return "percent" if measure in PERCENT else "number"


def _figures(kind: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        number(name, row[name], format=form_of(name), interval=row.get(f"{name}_interval"))
        for name in FIRST[kind]
        if name in row
    ]
