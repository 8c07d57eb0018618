"""The tables of methods and measures in docs/uncertainty.md, from the tables that the code goes by."""

from pomona.question.uncertainty.measures.table import MEASURES
from pomona.question.uncertainty.methods import METHODS

BETTER = {True: "higher", False: "lower", None: "—"}


def methods_table() -> str:
    """A row a method."""
    rows = [
        f"| `{name}` | {method.about} | {' and '.join(method.kinds)} | {method.source} |"
        for name, method in METHODS.items()
    ]
    return "\n".join(["| method | what it does | for | source |", "|---|---|---|---|", *rows])


def measures_table(kind: str) -> str:
    """A row a measure of a kind of task."""
    rows = [
        f"| `{name}` | {one.formula} | {BETTER[one.greater_is_better]} |"
        for name, one in MEASURES[kind].items()
    ]
    return "\n".join(["| measure | what it is | better |", "|---|---|---|", *rows])
