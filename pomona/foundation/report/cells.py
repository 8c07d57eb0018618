"""What stands in the cells of a table, and on which side."""

from pomona.foundation.report.formats import common_decimals, show
from pomona.foundation.report.items import Cell, Table

SHORT = 36  # characters that are not worth a second line


def table_cells(item: Table) -> list[list[tuple[str, str]]]:
    """For each row its cells: the text, and the value to sort by ("" where there is none)."""
    decimals = [
        common_decimals(cells, column.format)
        for cells, column in zip(_columns(item), item.columns, strict=True)
    ]
    return [
        [
            (show(cell, column.format, decimals=digits), "" if cell is None else str(cell))
            for cell, column, digits in zip(row, item.columns, decimals, strict=True)
        ]
        for row in item.rows
    ]


def table_alignments(item: Table) -> list[str]:
    """For each column "number", which stands on the right and sorts by size, "words short" or "words"."""
    return [_alignment([cell for cell in cells if cell is not None]) for cells in _columns(item)]


def _alignment(cells: list[Cell]) -> str:
    if cells and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells):
        return "number"
    return "words short" if all(len(str(cell)) <= SHORT for cell in cells) else "words"


def _columns(item: Table) -> list[list[Cell]]:
    return [[row[index] for row in item.rows] for index in range(len(item.columns))]
