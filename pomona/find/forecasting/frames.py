"""Tables in the form in which the user's own came."""

from typing import Any

import pyarrow


def like_input(table: pyarrow.Table, data: Any) -> Any:
    """A polars or pandas frame for such; the Arrow table for anything else."""
    kind = type(data).__module__.partition(".")[0]
    if kind == "polars":
        import polars

        return polars.from_arrow(table)
    if kind == "pandas":
        return table.to_pandas(date_as_object=False)
    return table
