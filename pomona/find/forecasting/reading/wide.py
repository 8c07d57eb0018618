"""Wide tables, with a column for each series or for each time, read as long ones."""

from pomona.find.forecasting.reading.table import Table
from pomona.find.forecasting.settings import ColumnOptions


def as_long(table: Table, columns: ColumnOptions) -> tuple[Table, ColumnOptions, list[str]]:
    """The table in long form, the columns of that, and what a reader should know of the change."""
    return table, columns, []
