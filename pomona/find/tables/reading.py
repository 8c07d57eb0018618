"""Reads a table from its file: a pickled dict of digits of a point → metric → numbers, one a seed."""

import functools
import io
import pickle
from typing import Any

import numpy as np

from pomona.find.tables.catalogue import TABLES
from pomona.find.tables.table import Table
from pomona.fit.trials.space import Choice
from pomona.foundation.assets import fetch
from pomona.foundation.errors import unknown_name


@functools.lru_cache(maxsize=16)
def read_table(name: str) -> Table:
    """The table of a name in TABLES; its file is fetched when it is first used (37 MB for all tables)."""
    if name not in TABLES:
        raise unknown_name("table", name, TABLES)
    entry = TABLES[name]
    content = fetch(entry.asset).read_bytes()
    rows = _PlainUnpickler(io.BytesIO(content)).load()
    counts = [len(choice.options) for choice in entry.space.parameters.values() if isinstance(choice, Choice)]
    ordered = [rows["".join(map(str, digits))][entry.metric] for digits in np.ndindex(*counts)]
    scores = np.full((len(ordered), max(map(len, ordered))), np.nan)
    for point, values in enumerate(ordered):
        scores[point, : len(values)] = values
    return Table(name, entry.space, -scores if entry.is_loss else scores, entry.is_loss)


class _PlainUnpickler(pickle.Unpickler):
    """Reads dicts, lists, texts and numbers, and refuses everything else: a pickle can name any function."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}")
