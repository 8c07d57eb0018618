"""The best models after their trainings with fresh seeds."""

from collections.abc import Sequence
from typing import Any

from pomona.find.search.finalists import Finalist
from pomona.find.search.yardstick import Yardstick
from pomona.fit.sections.scores import score_format
from pomona.foundation.report import table, text


def finalists_section(finalists: Sequence[Finalist], yardstick: Yardstick) -> list[dict[str, Any]]:
    """The items of the section: each finalist's score in the search and its mean over fresh seeds."""
    metric = yardstick.metric
    form = score_format(metric)
    rows = []
    for finalist in finalists:
        again = [repeat.values.get(metric) for repeat in finalist.repeats]
        spread = [value for value in again if value is not None]
        rows.append(
            [
                str(finalist.trial.number),
                finalist.mean(metric) if again else None,
                min(spread, default=None),
                max(spread, default=None),
                len(again),
                finalist.trial.values.get(metric),
                finalist.trial.attributes.get("parameters"),
            ]
        )
    columns = [
        "trial",
        (f"mean {metric}", form),
        ("lowest", form),
        ("highest", form),
        ("trainings", "integer"),
        (f"{metric} in the search", form),
        ("parameters", "integer"),
    ]
    said = (
        "The best of many noisy scores is too good on average. So the best models were trained again, from "
        "nothing and with fresh seeds, and the mean on validation chose the winner."
    )
    return [table(columns, rows, highlight=0, caption="On validation data, the winner first."), text(said)]
