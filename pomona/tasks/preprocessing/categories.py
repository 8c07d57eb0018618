"""A column of names becomes one number a level, the rare ones sharing the level "other"."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

from pomona.tasks.batch import Batch
from pomona.tasks.preprocessing.step import Step
from pomona.tasks.preprocessing.values import as_text

MAX_LEVELS = 32


def fit_categories(
    column: str,
    values: Shaped[np.ndarray, " batch"],
    *,
    output: str = "columns",
    max_levels: int = MAX_LEVELS,
) -> Step:
    """The step for a training column: its most frequent values are levels, the others share one.

    The levels "other" and "missing" are there when training has such values. A value that training never had
    is "other", or zeros where there is no such level.
    """
    counts = Counter(as_text(values))
    has_missing = counts.pop(None, 0) > 0
    levels = sorted(counts, key=lambda level: (-counts[level], level))
    settings = {"levels": levels[:max_levels], "other": len(levels) > max_levels, "missing": has_missing}
    return Step("categories", (column,), output, settings)


def apply_categories(step: Step, raw: Mapping[str, np.ndarray]) -> Batch:
    """Rows with a single 1 (batch, levels [+ other] [+ missing]), float32."""
    levels = step.settings["levels"]
    index_of = {level: index for index, level in enumerate(levels)}
    num_columns = len(levels) + step.settings["other"] + step.settings["missing"]
    other = len(levels) if step.settings["other"] else num_columns
    missing = num_columns - 1 if step.settings["missing"] else num_columns
    texts = as_text(raw[step.columns[0]])
    places = [missing if text is None else index_of.get(text, other) for text in texts]
    # one column more than wanted takes what has no level
    return {step.output: np.eye(num_columns + 1, dtype=np.float32)[places, :num_columns]}
