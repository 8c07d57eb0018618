"""How good it is: each model's scores on validation and test, beside the baselines."""

from collections.abc import Mapping, Sequence
from typing import Any

from pomona.foundation.report import number, numbers, table
from pomona.foundation.statistics import Interval
from pomona.tasks.metrics import METRICS


def scores_section(
    models: Sequence[tuple[str, Mapping[str, float], Mapping[str, float]]],
    *,
    metric: str,
    reported: int = 0,
    interval: Interval | None = None,
    examples: Mapping[str, int | None] | None = None,
    facts: Mapping[str, tuple[Any, str]] | None = None,
) -> list[dict[str, Any]]:
    """The items of the section: the big figures of the `reported` model, and a table of all.

    `models` are (name, valid, test), `interval` is that of the reported test score, `examples` the sizes of
    the splits, `facts` further figures: name → (value, unit).
    """
    name, valid, test = models[reported]
    form = score_format(metric)
    sizes = examples or {}
    figures = [
        number(
            f"{metric} on test", test.get(metric), format=form, interval=interval, note=_size(sizes, "test")
        ),
        number(f"{metric} on validation", valid.get(metric), format=form, note=_size(sizes, "valid")),
        *(
            number(fact, value, unit=unit)
            for fact, (value, unit) in (facts or {}).items()
            if value is not None
        ),
    ]
    metrics = list(dict.fromkeys(m for scores in (test, valid) for m in (metric, *scores) if m in scores))
    columns = ["model", *((f"{m}, {split}", score_format(m)) for m in metrics for split in ("valid", "test"))]
    rows = [
        [label, *(scores.get(m) for m in metrics for scores in (valid_scores, test_scores))]
        for label, valid_scores, test_scores in models
    ]
    caption = f"The reported model is {name}. It was chosen on validation data; test data was looked at once."
    return [numbers(*figures), table(columns, rows, highlight=reported, caption=caption)]


def score_format(metric: str) -> str:
    """How a report shows a metric: "percent" if it lies in 0 … 1 and more is better, else "number"."""
    known = METRICS.get(metric.rpartition("/")[2])
    is_share = known is not None and known.greater_is_better and known.range == (0.0, 1.0)
    return "percent" if is_share else "number"


def _size(sizes: Mapping[str, int | None], split: str) -> str:
    return f"{sizes[split]} examples" if sizes.get(split) else ""
