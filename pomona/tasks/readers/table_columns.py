"""The preprocessing of a table's columns, fitted on training rows."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from pomona.foundation.errors import DataError
from pomona.tasks.batch import RESERVED, Batch
from pomona.tasks.preprocessing.arrays import fit_vector
from pomona.tasks.preprocessing.bag import fit_bag
from pomona.tasks.preprocessing.categories import fit_categories
from pomona.tasks.preprocessing.dates import fit_dates
from pomona.tasks.preprocessing.numbers import fit_numbers
from pomona.tasks.preprocessing.pipeline import Preprocessing
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.tokens import fit_tokens
from pomona.tasks.readers.column_kinds import Column, column_kind
from pomona.tasks.readers.table import Table

MAX_WIDTH = 50_000
"""A row becomes at most so many numbers."""
MAX_NOTES = 10
VECTOR = "columns"


def feature_name(column: str) -> str:
    """The name of the feature of a column: its own, unless that means something else in a batch."""
    return f"{column}_column" if column in (*RESERVED, VECTOR) else column


def fit_columns(
    train: Batch, rows: Int[np.ndarray, " row"], table: Table, *, tags_time: int | None = None
) -> tuple[Preprocessing, tuple[str, ...]]:
    """The preprocessing, and notes on columns left out; `rows` are the places of the rows in the table.

    All columns but text become one vector, `columns`; text joins it as a bag of words when there are other
    columns, and stands alone as tokens when not: words, or characters where each text is a word. `tags_time`
    is for a target with a class for each of so many words of one text. Raises DataError when none is of use.
    """
    kinds = {
        name: column_kind(name, values, rows, has_decimal_comma=table.has_decimal_comma)
        for name, values in train.items()
    }
    used = {name: column for name, column in kinds.items() if column.kind != "unused"}
    are_texts = all(column.kind in ("text", "word") for column in used.values())
    if (
        not are_texts and tags_time is None
    ):  # what is different in every row says nothing beside other columns
        used = {name: column for name, column in used.items() if column.kind != "word" or not column.note}
    dropped = [kinds[name].note for name in kinds if name not in used]
    notes = _few(
        [*dropped, *(column.note for column in used.values() if column.note and column.kind != "word")]
    )
    if not used:
        raise DataError(f"no column can be used: {'; '.join(notes)}")
    if tags_time is not None:
        return Preprocessing((_fit_tagged_text(train, used, tags_time),)), notes
    steps = _text_steps(train, used) if are_texts else _vector_steps(train, used)
    _check_width(steps)
    return Preprocessing(tuple(steps)), notes


def _text_steps(train: Batch, used: Mapping[str, Column]) -> list[Step]:
    return [
        fit_tokens(
            name,
            train[name],
            output=feature_name(name),
            unit="character" if column.kind == "word" else "word",
        )
        for name, column in used.items()
    ]


def _check_width(steps: Sequence[Step]) -> None:
    width = sum(_width(step) for step in steps)
    if width > MAX_WIDTH:
        columns = list(dict.fromkeys(column for step in steps for column in step.columns))
        widest = max(steps, key=lambda step: _width(step) / len(step.columns)).columns[0]
        raise DataError(
            f"{len(columns)} columns become {width} numbers a row, at most {MAX_WIDTH} are possible; "
            f"leave some out with --ignore, such as {widest!r}"
        )
    if not steps:
        raise DataError("no column can be used: no word is in two training rows")


def _vector_steps(train: Batch, used: Mapping[str, Column]) -> list[Step]:
    steps = []
    for decimal in (".", ","):
        names = [name for name, one in used.items() if one.kind == "number" and one.decimal == decimal]
        if names:
            steps.append(fit_numbers({name: train[name] for name in names}, decimal=decimal))
    for name, column in used.items():
        if column.kind in ("category", "word"):
            steps.append(fit_categories(name, train[name]))
        elif column.kind == "date":
            steps.append(fit_dates(name, train[name]))
        elif column.kind == "text":
            steps.append(fit_bag(name, train[name]))
        elif column.kind == "vector":
            steps.append(fit_vector(name, train[name], output=VECTOR))
    return [step for step in steps if _width(step)]


def _fit_tagged_text(train: Batch, used: Mapping[str, Column], time: int) -> Step:
    texts = [name for name, column in used.items() if column.kind in ("text", "word", "category")]
    if len(texts) != 1:
        raise DataError(f"a class for every word needs one column of text, got {', '.join(texts) or 'none'}")
    name = texts[0]
    return fit_tokens(name, train[name], output=feature_name(name), unit="space", time=time)


def _width(step: Step) -> int:
    settings = step.settings
    if step.kind == "tokens":
        return 1
    if step.kind == "numbers":
        return len(step.columns) + len(settings["indicated"])
    if step.kind == "categories":
        return len(settings["levels"]) + settings["other"] + settings["missing"]
    if step.kind == "bag":
        return len(settings["words"])
    return (
        len(settings["mean"])
        if step.kind == "vector"
        else 1 + 2 * len(settings["cycles"]) + settings["missing"]
    )


def _few(notes: list[str]) -> tuple[str, ...]:
    left = len(notes) - MAX_NOTES
    return tuple(notes[:MAX_NOTES]) + ((f"and {left} more notes on columns",) if left > 0 else ())
